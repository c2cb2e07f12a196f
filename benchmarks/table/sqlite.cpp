// SPDX-License-Identifier: MIT
// By hand: the same statements, prepared once, on one connection of SQLite's C API with the same settings, one commit
// each; the order's fields packed into a blob.

#include "table/workload.hpp"

#include <sqlite3.h>

#include <cstring>
#include <mutex>

namespace {

void require_code(int code, int wanted, const char* what) { bench::require(code == wanted, what); }

void append(std::string& to, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  to.append(reinterpret_cast<const char*>(&size), sizeof size).append(text);
}
template <class T>
void append_number(std::string& to, T number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <class T>
T take_number(std::string_view& from) {
  T number{};
  std::memcpy(&number, from.data(), sizeof number);
  from.remove_prefix(sizeof number);
  return number;
}
std::string take_text(std::string_view& from) {
  const auto size = take_number<std::uint32_t>(from);
  std::string text(from.substr(0, size));
  from.remove_prefix(size);
  return text;
}

class by_hand {
 public:
  by_hand(const std::filesystem::path& path, bool power) {
    require_code(sqlite3_open(path.c_str(), &handle_), SQLITE_OK, "open");
    run("PRAGMA journal_mode = WAL");
    run(power ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    run("PRAGMA cache_size = -8192");
    run("CREATE TABLE items(id INTEGER PRIMARY KEY, partition BLOB NOT NULL, sort BLOB NOT NULL, "
        "version INTEGER NOT NULL, expires_at INTEGER, item BLOB NOT NULL, UNIQUE(partition, sort))");
    run("CREATE INDEX expiry ON items(expires_at) WHERE expires_at IS NOT NULL");
    begin_ = prepare("BEGIN IMMEDIATE");
    commit_ = prepare("COMMIT");
    put_ = prepare(
        "INSERT INTO items(partition, sort, version, expires_at, item) VALUES(?1, ?2, ?3, ?4, ?5) "
        "ON CONFLICT(partition, sort) DO UPDATE SET version = excluded.version, expires_at = excluded.expires_at, "
        "item = excluded.item");
    get_ = prepare("SELECT id, version, expires_at, item FROM items WHERE partition = ?1 AND sort = ?2");
  }
  by_hand(const by_hand&) = delete;
  by_hand& operator=(const by_hand&) = delete;
  ~by_hand() {
    for (sqlite3_stmt* each : {begin_, commit_, put_, get_}) sqlite3_finalize(each);
    sqlite3_close(handle_);
  }

  void put(const bench::order& what) {
    std::string bytes;
    append(bytes, what.state);
    append(bytes, what.note);
    append_number(bytes, what.total);
    append_number(bytes, what.weight);
    append_number(bytes, what.paid);
    const std::lock_guard lock(mutex_);
    if (in_commit_ == 0) step(begin_);
    bind(put_, 1, what.name);
    bind(put_, 2, "");
    sqlite3_bind_int64(put_, 3, ++version_);
    bind(put_, 5, bytes);
    step(put_);
    if (++in_commit_ < a_commit_) return;
    step(commit_);
    in_commit_ = 0;
  }
  // From now on, so many puts share a commit; call it between two commits.
  void share_commits(int puts) { a_commit_ = puts; }

  bench::order get(std::string_view name) {
    const std::lock_guard lock(mutex_);
    bind(get_, 1, name);
    bind(get_, 2, "");
    require_code(sqlite3_step(get_), SQLITE_ROW, "an order is not there");
    std::string_view bytes(static_cast<const char*>(sqlite3_column_blob(get_, 3)),
                           static_cast<std::size_t>(sqlite3_column_bytes(get_, 3)));
    bench::order found{.name = std::string(name), .state = take_text(bytes), .note = take_text(bytes)};
    found.total = take_number<std::int64_t>(bytes);
    found.weight = take_number<double>(bytes);
    found.paid = take_number<bool>(bytes);
    sqlite3_reset(get_);
    return found;
  }

 private:
  void run(const char* sql) { require_code(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr), SQLITE_OK, sql); }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* made = nullptr;
    require_code(sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr), SQLITE_OK, sql);
    return made;
  }
  static void bind(sqlite3_stmt* to, int at, std::string_view bytes) {
    sqlite3_bind_blob(to, at, bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  }
  static void step(sqlite3_stmt* which) {
    require_code(sqlite3_step(which), SQLITE_DONE, "a step failed");
    sqlite3_reset(which);
  }

  sqlite3* handle_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  sqlite3_stmt* put_ = nullptr;
  sqlite3_stmt* get_ = nullptr;
  std::int64_t version_ = 0;
  int in_commit_ = 0;
  int a_commit_ = 1;
  std::mutex mutex_;
};

// What sharing commits can attain: one thread puts what the eight put, one of each in turn, and waits for nobody.
void time_eight_in_a_commit(double effort) {
  constexpr int shares = 8;
  const bench::scratch folder;
  by_hand store(folder / "orders.db", true);
  store.share_commits(shares);
  const int count = static_cast<int>(bench::count_of(400, effort));
  const auto begun = bench::now_ns();
  for (int i = 0; i < count; ++i) {
    for (int thread = 0; thread < shares; ++thread) store.put(bench::make_order(thread * 1'000'000 + i, i));
  }
  const auto ended = bench::now_ns();
  bench::report("put", "us", static_cast<double>(ended - begun) / (shares * count) / 1'000);
}

}  // namespace

int main(int argc, char** argv) {
  auto trials = bench::file_trials<by_hand>();
  trials.push_back({"table", "file, put, 8 in a commit", &time_eight_in_a_commit});
  return bench::run_trials(argc, argv, trials);
}

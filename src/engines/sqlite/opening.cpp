// SPDX-License-Identifier: MIT

#include "opening.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {
namespace {

constexpr int wait_for_others_ms = 1'000;  // other programs that read or write the same file, against the rules
constexpr std::string_view magic{"SQLite format 3\0", 16};
constexpr std::size_t header_bytes = 100;
constexpr std::size_t application_id_at = 68;

failure foreign() {
  return detail::make_failure(errc::unsupported, effect_kind::not_applied, failure_reason::none,
                              "it is a database of another program: its application id is not ours");
}

class descriptor {
 public:
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number_ >= 0) close(number_);
  }
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

result<std::unique_ptr<connection>> open_handle(const opening& how, int flags) {
  sqlite3* handle = nullptr;
  const std::string name = how.path.empty() ? std::string(":memory:") : how.path.string();
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                   how.vfs.empty() ? nullptr : how.vfs.c_str());
  // There is a handle even when opening has failed, but for lack of memory.
  if (handle == nullptr) return to_failure(nullptr, code != SQLITE_OK ? code : SQLITE_NOMEM);
  auto opened = std::make_unique<connection>(handle);
  if (code != SQLITE_OK) return to_failure(handle, code);
  return opened;
}

void set_limits(sqlite3* handle) {
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 64 * 1'024 * 1'024);
  sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, 1'024 * 1'024);
  sqlite3_limit(handle, SQLITE_LIMIT_WORKER_THREADS, 0);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
}

// Before anything that may find the file locked.
result<void> set_up(connection& opened, const opening& how) {
  if (how.locks != nullptr) how.locks->adopt(opened.handle());
  sqlite3_busy_timeout(opened.handle(), wait_for_others_ms);
  set_limits(opened.handle());
  const auto pragmas = fmt::format(
      "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON; PRAGMA cache_size = -{}",
      how.cache_kib);
  return opened.execute(pragmas.c_str());
}

result<std::int64_t> number_of(connection& opened, std::string_view sql) {
  auto asked = opened.prepare_once(sql);
  if (!asked) return std::move(asked).error();
  auto row = asked->step();
  if (!row) return std::move(row).error();
  return *row ? asked->int64(0) : 0;
}

// In one transaction: whoever opens it next finds all of it done, or nothing.
result<void> bring_up_to_date(connection& opened, std::int32_t application_id, const std::vector<const char*>& steps) {
  const auto id = number_of(opened, "PRAGMA application_id");
  if (!id) return id.error();
  const auto version = number_of(opened, "PRAGMA user_version");
  if (!version) return version.error();
  const auto tables = number_of(opened, "SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  const bool fresh = *id == 0 && *version == 0 && *tables == 0;
  if (*id != application_id && !fresh) return foreign();
  const auto wanted = static_cast<std::int64_t>(steps.size());
  if (*version < 0 || *version > wanted)
    return detail::make_failure(
        errc::unsupported, effect_kind::not_applied, failure_reason::none,
        fmt::format("it was made by a later version of this library: {}, known are 0 .. {}", *version, wanted));
  if (!fresh && *version == wanted) return {};
  auto done = opened.execute("BEGIN IMMEDIATE");
  for (auto at = static_cast<std::size_t>(*version); done && at < steps.size(); ++at) done = opened.execute(steps[at]);
  const auto notes =
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT", application_id, wanted);
  return done ? opened.execute(notes.c_str()) : done;
}

// Only once it is known to be ours: it writes.
result<void> set_durability(connection& opened, const opening& how) {
  auto asked = opened.prepare_once("PRAGMA journal_mode = WAL");
  if (!asked) return std::move(asked).error();
  auto row = asked->step();
  if (!row) return std::move(row).error();
  if (!*row || asked->text(0) != "wal")
    return detail::make_failure(errc::unsupported, effect_kind::not_applied, failure_reason::none,
                                "there can be no write-ahead log here: the file system shares no memory");
  asked->reset();
  // The file itself was opened for writing, so this is what its header says.
  if (sqlite3_db_readonly(opened.handle(), "main") != 0)
    return detail::make_failure(errc::unsupported, effect_kind::not_applied, failure_reason::none,
                                "its header allows reading only: made by a later version of SQLite, or damaged");
  // The log shrinks to this when it begins anew.
  auto set = opened.execute(how.synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  if (set) set = opened.execute("PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864");
  // The first read maps the index of the log, with which this file keeps the locks for all (shared_locks).
  return set ? opened.execute("SELECT count(*) FROM sqlite_schema") : set;
}

// What an owner who was killed has committed last may be in the system's memory only. Whoever opens the file now is
// shown it and builds on it: then the power must not take it back.
result<void> sync_log(connection& opened) {
  sqlite3_file* log = nullptr;
  sqlite3_file_control(opened.handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log == nullptr || log->pMethods == nullptr) return {};
  sqlite3_int64 size = 0;
  int code = log->pMethods->xFileSize(log, &size);
  if (code == SQLITE_OK && size > 0) code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
  if (code != SQLITE_OK) return to_failure(nullptr, code);
  return {};
}

}  // namespace

result<std::filesystem::path> real_path(const std::filesystem::path& path) {
  std::error_code error;
  auto real = std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  if (error) return to_failure_of_system(error.value(), "the path");
  return real;
}

result<void> claim_file(const std::filesystem::path& path, std::int32_t application_id) {
  const descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.number() < 0) return to_failure_of_system(errno, "the file");
  std::array<unsigned char, header_bytes> header{};
  const auto got = pread(file.number(), header.data(), header.size(), 0);
  if (got < 0) return to_failure_of_system(errno, "the file");
  if (got == 0) return {};
  const std::string_view start(reinterpret_cast<const char*>(header.data()), static_cast<std::size_t>(got));
  // A first transaction that was cut short may have left anything: its journal says what was before.
  std::error_code ignored;
  if (std::filesystem::exists(path.string() + "-journal", ignored)) return {};
  if (start.size() < header_bytes || !start.starts_with(magic)) return to_failure(nullptr, SQLITE_NOTADB);
  std::uint32_t id = 0;
  for (std::size_t at = application_id_at; at < application_id_at + 4; ++at) id = id << 8U | header.at(at);
  if (static_cast<std::int32_t>(id) != application_id) return foreign();
  return {};
}

result<std::unique_ptr<connection>> open_writer(const opening& how, std::int32_t application_id,
                                                const std::vector<const char*>& steps) {
  auto opened = open_handle(how, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!opened) return opened;
  // Until it is known to be ours nothing is written to it, not even by closing it.
  sqlite3_db_config((*opened)->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  auto ready = set_up(**opened, how);
  if (ready) ready = bring_up_to_date(**opened, application_id, steps);
  if (ready && !how.path.empty()) ready = set_durability(**opened, how);
  if (ready && !how.path.empty() && how.synced) ready = sync_log(**opened);
  if (!ready) return ready.error();
  sqlite3_db_config((*opened)->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  return opened;
}

result<std::unique_ptr<connection>> open_reader(const opening& how) {
  auto opened = open_handle(how, SQLITE_OPEN_READONLY);
  if (!opened) return opened;
  sqlite3_db_config((*opened)->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  auto ready = set_up(**opened, how);
  if (ready) ready = (*opened)->execute("PRAGMA wal_autocheckpoint = 0; PRAGMA query_only = ON");
  if (!ready) return ready.error();
  return opened;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite

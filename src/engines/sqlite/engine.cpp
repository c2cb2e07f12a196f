// SPDX-License-Identifier: MIT

#include "engine.hpp"

#include "opening.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {
namespace {

const clock& time_of(const sqlite_file_options& options) {
  static const clock systems;
  return options.time != nullptr ? *options.time : systems;
}

void check_bounds(std::string_view option, std::size_t value, std::size_t least, std::size_t most) {
  if (value < least || value > most)
    throw std::invalid_argument(fmt::format("dormouse: {} is {}: it must be {} .. {}", option, value, least, most));
}

void check_options(const engine_options& options) {
  check_bounds("sqlite_file_options::readers_max", options.file.readers_max, 1, 64);
  check_bounds("sqlite_file_options::cache_kib", options.file.cache_kib, 64, 1'048'576);
  if (!options.file.path.empty() && options.file.durability == durability_level::memory)
    throw std::invalid_argument("dormouse: sqlite_file_options::durability is memory: it must be process or power");
  if (options.application_id == 0) throw std::invalid_argument("dormouse: engine_options::application_id is 0");
}

opening opening_of(const engine_options& options, shared_locks& locks) {
  return {.path = options.file.path,
          .vfs = options.vfs,
          .cache_kib = options.file.cache_kib,
          .synced = options.file.durability == durability_level::power,
          .locks = options.file.path.empty() ? nullptr : &locks};
}

// Ends the read transaction however the work ends.
class one_state {
 public:
  explicit one_state(connection& reader) noexcept : reader_(reader) {}
  one_state(const one_state&) = delete;
  one_state& operator=(const one_state&) = delete;
  ~one_state() {
    if (!reader_.in_transaction()) return;
    if (auto end = reader_.prepare("COMMIT")) static_cast<void>(end->run());
  }
  result<void> begin() {
    auto begin = reader_.prepare("BEGIN");
    if (!begin) return std::move(begin).error();
    auto begun = begin->run();
    if (!begun) return std::move(begun).error();
    return {};
  }

 private:
  connection& reader_;
};

}  // namespace

engine::engine(const engine_options& options, owner_lock lock, std::unique_ptr<shared_locks> locks,
               std::unique_ptr<connection> writer)
    : options_(options.file),
      time_(time_of(options.file)),
      lock_(std::move(lock)),
      locks_(std::move(locks)),
      writer_(std::move(writer), time_, [this](function_view<void()> what) { return readers_.pause(what); }),
      readers_([how = opening_of(options, *locks_)] { return open_reader(how); }, options.file.readers_max, time_) {}

engine::~engine() {
  if (writer_.is_in_child()) readers_.abandon();
}

failure engine::own_transaction() noexcept {
  return detail::make_failure(errc::invalid_argument, effect_kind::not_applied, failure_reason::none,
                              "this thread holds a transaction of the file: end it, or make the call within it");
}

result<void> engine::read(work what, const deadline& until) {
  if (options_.path.empty()) return write(what, until);
  return read_once(
      [&](connection& reader) -> result<void> {
        one_state state(reader);
        auto begun = state.begin();
        return begun ? what(reader) : begun;
      },
      until);
}

result<void> engine::read_once(work what, const deadline& until) {
  if (options_.path.empty() || writer_.is_in_child()) return write(what, until);  // in a child: refused
  return readers_.lend(what, until);
}

result<void> engine::check() {
  return read_once(
      [](connection& reader) -> result<void> {
        auto asked = reader.prepare_once("PRAGMA integrity_check(1)");
        if (!asked) return std::move(asked).error();
        auto row = asked->step();
        if (!row) return std::move(row).error();
        if (*row && asked->text(0) == "ok") return {};
        return detail::make_failure(errc::corruption, effect_kind::not_applied, failure_reason::none,
                                    *row ? asked->text(0) : "no answer");
      },
      std::nullopt);
}

durability_level engine::durability() const noexcept {
  return options_.path.empty() ? durability_level::memory : options_.durability;
}

result<std::shared_ptr<engine>> open_engine(const engine_options& options) {
  check_options(options);
  if (sqlite3_threadsafe() == 0)
    return detail::make_failure(errc::unsupported, effect_kind::not_applied, failure_reason::none,
                                "this SQLite was built for programs with one thread");
  engine_options real = options;
  owner_lock lock;
  if (!options.file.path.empty()) {
    auto path = real_path(options.file.path);
    if (!path) return std::move(path).error();
    real.file.path = std::move(*path);
    auto taken = owner_lock::take(real.file.path.string() + "-lock");
    if (!taken) return std::move(taken).error();
    lock = std::move(*taken);
    if (auto claimed = claim_file(real.file.path, options.application_id); !claimed) return claimed.error();
  }
  auto locks = std::make_unique<shared_locks>();
  auto writer = open_writer(opening_of(real, *locks), options.application_id, options.steps);
  if (!writer) return std::move(writer).error();
  return std::shared_ptr<engine>(new engine(real, std::move(lock), std::move(locks), std::move(*writer)));
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite

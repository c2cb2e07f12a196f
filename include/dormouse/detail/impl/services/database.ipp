// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/service_call.hpp>
#include <dormouse/detail/utf8.hpp>
#include <dormouse/services/database.hpp>

#include <type_traits>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE result<void> check_sql(std::string_view sql) {
  if (sql.empty() || sql.size() > database::sql_bytes_max) {
    return refuse_service_call(errc::invalid_argument, failure_reason::value_bytes, "SQL of {} bytes; give 1 .. {}",
                               sql.size(), database::sql_bytes_max);
  }
  if (sql.find('\0') == std::string_view::npos && is_well_formed_utf8(sql)) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::none, "the SQL is not UTF-8 without NUL");
}

DORMOUSE_INLINE std::size_t bytes_of(const sql_value& value) noexcept {
  if (const auto* text = std::get_if<std::string>(&value)) return text->size();
  if (const auto* bytes = std::get_if<payload>(&value)) return bytes->size();
  if (const auto* json = std::get_if<sql_json>(&value)) return json->text.size();
  return 0;
}

DORMOUSE_INLINE result<void> check_parameters(const sql_parameters& values) {
  if (values.size() > database::parameters_max) {
    return refuse_service_call(errc::invalid_argument, failure_reason::none, "{} parameters; at most {}", values.size(),
                               database::parameters_max);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (bytes_of(values[i]) <= database::value_bytes_max) continue;
    return refuse_service_call(errc::too_large, failure_reason::value_bytes, "parameter {} has {} bytes; at most {}",
                               i + 1, bytes_of(values[i]), database::value_bytes_max);
  }
  return {};
}

DORMOUSE_INLINE result<void> check_statement(std::string_view sql, const sql_parameters& values) {
  if (auto fit = check_sql(sql); !fit) return fit;
  return check_parameters(values);
}

DORMOUSE_INLINE result<void> check_rows_max(std::size_t rows_max) {
  if (rows_max >= 1 && rows_max <= 10'000'000) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::none, "rows_max is {}; give 1 .. 10000000",
                             rows_max);
}

// Hands rows on to a stranger's function and keeps from the adapter what that throws.
class row_hatch {
 public:
  explicit row_hatch(const std::function<bool(sql_row&&)>& take) noexcept : take_(take) {}
  bool operator()(sql_row&& row) {
    auto more = contained([&](effect_kind&) -> result<bool> { return take_(std::move(row)); });
    if (more) return *more;
    thrown_ = std::move(more).error();
    return false;
  }
  result<void> outcome(result<void> of_adapter) {
    if (thrown_) return *std::move(thrown_);
    return of_adapter;
  }

 private:
  const std::function<bool(sql_row&&)>& take_;
  std::optional<failure> thrown_{};
};

// `read` is given a function for rows and returns the adapter's outcome.
template <class F>
result<sql_rows> collect_rows(std::size_t rows_max, F&& read) {
  sql_rows all;
  bool beyond = false;
  const std::function<bool(sql_row &&)> keep = [&](sql_row&& row) {
    beyond = all.rows.size() == rows_max;
    if (beyond) return false;
    if (all.rows.empty()) all.names = row.names();
    all.rows.push_back(std::move(row));
    return true;
  };
  row_hatch hatch(keep);
  if (auto done = hatch.outcome(read(std::ref(hatch))); !done) return std::move(done).error();
  if (!beyond) return all;
  return refuse_service_call(errc::too_large, failure_reason::value_bytes,
                             "more than rows_max {} rows; query_each() takes them one by one", rows_max);
}

DORMOUSE_INLINE failure transaction_is_over() noexcept {
  return make_failure(errc::expired, effect_kind::not_applied, failure_reason::none, "the transaction has ended");
}

}  // namespace detail

// ---- transaction ----------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<void> transaction::may_go_on() {
  if (over_) return *over_;
  if (!target_) return detail::transaction_is_over();  // moved from
  return detail::in_time(*time_, deadline_);
}

// What can only be rolled back is so at once: others may be waiting for what it holds.
DORMOUSE_INLINE void transaction::look_at(const failure& why) noexcept {
  const bool refused = why.code == errc::invalid_argument || why.code == errc::already_exists;
  if (!target_ || (refused && why.effect == effect_kind::not_applied)) return;
  failure kept = detail::make_failure(why.code, why.effect, why.reason, why.detail);
  kept.native_code = why.native_code;
  kept.retry_after = why.retry_after;
  end(std::move(kept));
}

DORMOUSE_INLINE void transaction::end(failure why) noexcept {
  over_ = std::move(why);
  target_.reset();
}

DORMOUSE_INLINE result<sql_rows> transaction::query(std::string_view sql, const sql_parameters& values,
                                                    const query_options& options) {
  auto got = detail::contained([&](effect_kind&) -> result<sql_rows> {
    if (auto fit = detail::check_statement(sql, values); !fit) return std::move(fit).error();
    if (auto fit = detail::check_rows_max(options.rows_max); !fit) return std::move(fit).error();
    if (auto open = may_go_on(); !open) return std::move(open).error();
    if (auto fit = detail::in_time(*time_, options.deadline); !fit) return std::move(fit).error();
    return detail::collect_rows(options.rows_max, [&](const std::function<bool(sql_row &&)>& take) {
      return target_->query(sql, values, take);
    });
  });
  if (!got) look_at(got.error());
  return got;
}

DORMOUSE_INLINE result<execution> transaction::execute(std::string_view sql, const sql_parameters& values) {
  auto done = detail::contained([&](effect_kind&) -> result<execution> {
    if (auto fit = detail::check_statement(sql, values); !fit) return std::move(fit).error();
    if (auto open = may_go_on(); !open) return std::move(open).error();
    return target_->execute(sql, values);
  });
  if (!done) look_at(done.error());
  return done;
}

DORMOUSE_INLINE result<void> transaction::commit() {
  auto done = detail::contained([&](effect_kind& effect) -> result<void> {
    if (auto open = may_go_on(); !open) return open;
    effect = effect_kind::unknown;
    return target_->commit();
  });
  if (target_) end(detail::transaction_is_over());
  return done;
}

DORMOUSE_INLINE void transaction::roll_back() noexcept {
  if (!target_) return;
  target_->roll_back();
  end(detail::transaction_is_over());
}

// ---- database -------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<sql_rows> database::query(std::string_view sql, const sql_parameters& values,
                                                 const query_options& options) {
  return detail::contained([&](effect_kind&) -> result<sql_rows> {
    if (auto fit = detail::check_statement(sql, values); !fit) return std::move(fit).error();
    if (auto fit = detail::check_rows_max(options.rows_max); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    return detail::collect_rows(options.rows_max, [&](const std::function<bool(sql_row &&)>& take) {
      return do_query(sql, values, take, {.deadline = options.deadline});
    });
  });
}

DORMOUSE_INLINE result<void> database::query_each(std::string_view sql, const sql_parameters& values,
                                                  const std::function<bool(sql_row&&)>& take,
                                                  const call_options& options) {
  return detail::contained([&](effect_kind&) -> result<void> {
    if (auto fit = detail::check_statement(sql, values); !fit) return fit;
    if (!take) return detail::refuse_service_call(errc::invalid_argument, failure_reason::none, "no function for rows");
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return fit;
    detail::row_hatch hatch(take);
    return hatch.outcome(do_query(sql, values, std::ref(hatch), options));
  });
}

DORMOUSE_INLINE result<execution> database::execute(std::string_view sql, const sql_parameters& values,
                                                    const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<execution> {
    if (auto fit = detail::check_statement(sql, values); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_execute(sql, values, options);
  });
}

DORMOUSE_INLINE result<execution> database::execute_many(std::string_view sql, const std::vector<sql_parameters>& sets,
                                                         const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<execution> {
    if (auto fit = detail::check_sql(sql); !fit) return std::move(fit).error();
    if (sets.size() > sets_max) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::none, "{} sets; at most {}",
                                         sets.size(), sets_max);
    }
    for (const auto& each : sets) {
      if (auto fit = detail::check_parameters(each); !fit) return std::move(fit).error();
    }
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    execution all;
    if (sets.empty()) return all;
    auto opened = do_begin({.deadline = options.deadline});
    if (!opened) return std::move(opened).error();
    for (const auto& each : sets) {
      if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
      auto done = (*opened)->execute(sql, each);
      if (!done) return std::move(done).error();
      all.rows_changed += done->rows_changed;
      all.last_id = done->last_id;
    }
    effect = effect_kind::unknown;
    if (auto done = (*opened)->commit(); !done) return std::move(done).error();
    return all;
  });
}

DORMOUSE_INLINE result<transaction> database::begin(const transaction_options& options) {
  return detail::contained([&](effect_kind&) -> result<transaction> {
    const auto wanted = options.isolation;
    if (wanted < isolation_level::read_committed || wanted > isolation_level::serializable) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::none, "no such isolation level");
    }
    const auto can = capabilities();
    if ((wanted == isolation_level::read_committed && !can.read_committed) ||
        (wanted == isolation_level::snapshot && !can.snapshot)) {
      return detail::refuse_service_call(errc::unsupported, failure_reason::none,
                                         "this database does not declare that isolation level");
    }
    if (options.idle_timeout < std::chrono::milliseconds(1) || options.idle_timeout > std::chrono::hours(24)) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                         "idle_timeout is {} ms; give 1 ms .. 24 h", options.idle_timeout.count());
    }
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    auto opened = do_begin(options);
    if (!opened) return std::move(opened).error();
    return transaction(std::move(*opened), time_, options.deadline);
  });
}

DORMOUSE_INLINE result<void> retry_transaction(database& where, const std::function<result<void>(transaction&)>& work,
                                               const retry_options& options) {
  return detail::contained([&](effect_kind&) -> result<void> {
    if (!work) return detail::refuse_service_call(errc::invalid_argument, failure_reason::none, "no work");
    if (options.attempts_max < 1 || options.attempts_max > 1'000) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                         "attempts_max is {}; give 1 .. 1000", options.attempts_max);
    }
    const auto once = [&]() -> result<void> {
      auto open = where.begin(options.each);
      if (!open) return std::move(open).error();
      if (auto done = work(*open); !done) return done;
      return open->commit();
    };
    for (std::size_t attempt = 1;; ++attempt) {
      auto done = once();
      const bool again =
          !done && done.error().code == errc::conflict && done.error().effect == effect_kind::not_applied;
      if (!again || attempt == options.attempts_max) return done;
    }
  });
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

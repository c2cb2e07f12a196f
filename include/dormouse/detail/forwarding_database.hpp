// SPDX-License-Identifier: MIT
#pragma once

// A database that asks another one, with a behaviour around each call: see forwarding_call.hpp.

#include <dormouse/detail/forwarding_call.hpp>
#include <dormouse/services/database.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// A statement is not made again within its transaction: after a failure that can only be begun anew, by the caller.
// Until the commit nothing has happened.
template <class Behaviour>
class forwarding_transaction final : public open_transaction {
 public:
  forwarding_transaction(Behaviour& how, std::unique_ptr<open_transaction> target,
                         const std::optional<clock::time_point>& deadline)
      : how_(how), target_(std::move(target)), deadline_(deadline) {}

  result<void> query(std::string_view sql, const sql_parameters& values,
                     const std::function<bool(sql_row&&)>& take) override {
    return forward_call(how_, statement(service_operation::transaction_query, sql),
                        [&] { return target_->query(sql, values, take); });
  }
  result<execution> execute(std::string_view sql, const sql_parameters& values) override {
    return forward_call(how_, statement(service_operation::transaction_execute, sql),
                        [&] { return target_->execute(sql, values); });
  }
  result<void> script(std::string_view sql) override {
    return forward_call(how_, statement(service_operation::transaction_script, sql),
                        [&] { return target_->script(sql); });
  }
  result<void> commit() override {
    const auto what = write_call(service_operation::transaction_commit, repetition::never, deadline_);
    return forward_call(how_, what, [&] { return target_->commit(); });
  }
  void roll_back() noexcept override { target_->roll_back(); }

 private:
  [[nodiscard]] forwarded_call statement(service_operation what, std::string_view sql) const {
    return {.what = what, .deadline = deadline_, .bytes = sql.size(), .unheard = effect_kind::not_applied};
  }

  Behaviour& how_;
  const std::unique_ptr<open_transaction> target_;
  const std::optional<clock::time_point> deadline_;
};

template <class Behaviour>
class forwarding_database : public database {
 public:
  [[nodiscard]] database_capabilities capabilities() const noexcept override { return inner_.capabilities(); }
  [[nodiscard]] durability_level durability() const noexcept override { return inner_.durability(); }
  [[nodiscard]] sql_dialect dialect() const noexcept override { return inner_.dialect(); }

 protected:
  template <class... Given>
  explicit forwarding_database(database& inner, Given&&... given)
      : database(inner.time()), inner_(inner), how_(inner.time(), std::forward<Given>(given)...) {}
  [[nodiscard]] const Behaviour& how() const noexcept { return how_; }

 private:
  // Once a row has been taken, it would be taken again.
  result<void> do_query(std::string_view sql, const sql_parameters& values, const std::function<bool(sql_row&&)>& take,
                        const call_options& options) override {
    auto what = read_call(service_operation::database_query, options.deadline);
    what.bytes = sql.size();
    bool taken = false;
    const std::function<bool(sql_row &&)> note = [&](sql_row&& row) {
      taken = true;
      return take(std::move(row));
    };
    const auto ask = [&]() -> result<void> {
      auto done = inner_.do_query(sql, values, note, options);
      if (!done && taken) what.again = repetition::never;
      return done;
    };
    return forward_call(how_, what, ask);
  }
  result<execution> do_execute(std::string_view sql, const sql_parameters& values,
                               const call_options& options) override {
    const auto what =
        write_call(service_operation::database_execute, repetition::if_not_applied, options.deadline, sql.size());
    return forward_call(how_, what, [&] { return inner_.do_execute(sql, values, options); });
  }
  // Nothing is to be seen of a transaction before its commit.
  result<std::unique_ptr<open_transaction>> do_begin(const transaction_options& options) override {
    auto what = write_call(service_operation::database_begin, repetition::always, options.deadline);
    what.unheard = effect_kind::not_applied;
    auto opened = forward_call(how_, what, [&] { return inner_.do_begin(options); });
    if (!opened) return std::move(opened).error();
    return std::unique_ptr<open_transaction>(
        std::make_unique<forwarding_transaction<Behaviour>>(how_, std::move(*opened), options.deadline));
  }

  database& inner_;
  Behaviour how_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail

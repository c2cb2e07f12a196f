// SPDX-License-Identifier: MIT
#pragma once

// A database that writes down how it is called, and throws or fails as it is told. It keeps the notes of migrations.

#include <dormouse/services/database.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

struct probe_behaviour {
  std::vector<std::string> calls{};                    // begin, query, execute, script, commit; end: destroyed
  std::function<void(std::string_view what)> act{};    // may throw
  std::function<void(std::string_view sql)> on_sql{};  // of statements and scripts
  std::vector<dormouse::sql_parameters> rows{};        // of every query, one column
  dormouse::execution done{};
  dormouse::database_capabilities capabilities{};
  std::optional<dormouse::clock::time_point> deadline{};
  bool row_threw = false;
  std::map<std::int64_t, dormouse::sql_parameters> notes{};  // committed ones, by number

  // The call of that number from now on (1: the next) fails so; ends are not counted.
  void fail_at(int call, dormouse::failure why) {
    fails_in_ = call;
    why_ = std::move(why);
  }
  dormouse::result<void> arrive(std::string_view what) {
    calls.emplace_back(what);
    if (act) act(what);
    if (fails_in_ == 0 || --fails_in_ > 0) return {};
    return why_;
  }

 private:
  int fails_in_ = 0;
  dormouse::failure why_{};
};

inline dormouse::result<void> give_rows(probe_behaviour& how, const std::vector<dormouse::sql_parameters>& rows,
                                        std::vector<std::string> columns,
                                        const std::function<bool(dormouse::sql_row&&)>& take) {
  const auto names = std::make_shared<const std::vector<std::string>>(std::move(columns));
  try {
    for (const auto& each : rows) {
      if (!take(dormouse::sql_row(names, each))) break;
    }
  } catch (...) {
    how.row_threw = true;
  }
  return {};
}

class probe_transaction final : public dormouse::open_transaction {
 public:
  explicit probe_transaction(probe_behaviour& how) : how_(how) {}
  ~probe_transaction() override { how_.calls.emplace_back("end"); }

  dormouse::result<void> query(std::string_view sql, const dormouse::sql_parameters& values,
                               const std::function<bool(dormouse::sql_row&&)>& take) override {
    if (auto fit = how_.arrive("query"); !fit) return fit;
    if (sql.find("dormouse_migrations") == std::string_view::npos) return give_rows(how_, how_.rows, {"a"}, take);
    std::vector<dormouse::sql_parameters> rows;
    const auto behind = how_.notes.upper_bound(std::get<std::int64_t>(values.at(0)));
    for (auto each = behind; each != how_.notes.end(); ++each) rows.push_back({each->first, each->second.at(2)});
    return give_rows(how_, rows, {"number", "statements"}, take);
  }
  dormouse::result<dormouse::execution> execute(std::string_view sql, const dormouse::sql_parameters& values) override {
    if (auto fit = how_.arrive("execute"); !fit) return fit.error();
    if (how_.on_sql) how_.on_sql(sql);
    if (sql.starts_with("INSERT INTO dormouse_migrations")) {
      const auto number = std::get<std::int64_t>(values.at(0));
      if (how_.notes.contains(number)) {
        return dormouse::failure{.code = dormouse::errc::already_exists, .effect = dormouse::effect_kind::not_applied};
      }
      noted_ = values;
    }
    return how_.done;
  }
  dormouse::result<void> script(std::string_view sql) override {
    if (auto fit = how_.arrive("script"); !fit) return fit;
    if (how_.on_sql) how_.on_sql(sql);
    return {};
  }
  dormouse::result<void> commit() override {
    if (auto fit = how_.arrive("commit"); !fit) return fit;
    if (noted_) how_.notes[std::get<std::int64_t>(noted_->at(0))] = *noted_;
    return {};
  }
  void roll_back() noexcept override {}

 private:
  probe_behaviour& how_;
  std::optional<dormouse::sql_parameters> noted_{};
};

class probe_database final : public dormouse::database {
 public:
  probe_database(const dormouse::clock& time, probe_behaviour& how) : database(time), how_(how) {}
  dormouse::database_capabilities capabilities() const noexcept override { return how_.capabilities; }
  dormouse::durability_level durability() const noexcept override { return dormouse::durability_level::memory; }
  dormouse::sql_dialect dialect() const noexcept override { return dormouse::sql_dialect::sqlite; }

 private:
  dormouse::result<void> do_query(std::string_view, const dormouse::sql_parameters&,
                                  const std::function<bool(dormouse::sql_row&&)>& take,
                                  const dormouse::call_options& options) override {
    how_.deadline = options.deadline;
    if (auto fit = how_.arrive("query"); !fit) return fit;
    return give_rows(how_, how_.rows, {"a"}, take);
  }
  dormouse::result<dormouse::execution> do_execute(std::string_view, const dormouse::sql_parameters&,
                                                   const dormouse::call_options& options) override {
    how_.deadline = options.deadline;
    if (auto fit = how_.arrive("execute"); !fit) return fit.error();
    return how_.done;
  }
  dormouse::result<std::unique_ptr<dormouse::open_transaction>> do_begin(
      const dormouse::transaction_options& options) override {
    how_.deadline = options.deadline;
    if (auto fit = how_.arrive("begin"); !fit) return fit.error();
    return std::unique_ptr<dormouse::open_transaction>(std::make_unique<probe_transaction>(how_));
  }

  probe_behaviour& how_;
};

}  // namespace support

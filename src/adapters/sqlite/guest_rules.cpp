// SPDX-License-Identifier: MIT

#include "guest_rules.hpp"

#include <dormouse/detail/service_call.hpp>

#include "sql_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {
namespace {

constexpr std::string_view temporary = "what is temporary would stay with a connection that others use";

// The notes of migrations are written by the interface, in SQL like any other.
bool is_of_services(const char* name) noexcept {
  return name != nullptr && begins_word(name, "dormouse_") && !same_word(name, "dormouse_migrations");
}

// Those that only tell. The second half would set something if they were given a value.
bool only_tells(std::string_view pragma, bool has_value) noexcept {
  constexpr std::array<std::string_view, 15> any{
      "table_info",        "table_xinfo",   "table_list",  "index_list",      "index_info",
      "index_xinfo",       "function_list", "module_list", "collation_list",  "foreign_key_list",
      "foreign_key_check", "database_list", "quick_check", "integrity_check", "compile_options"};
  constexpr std::array<std::string_view, 8> without{"user_version",   "application_id", "page_count",  "page_size",
                                                    "freelist_count", "encoding",       "synchronous", "foreign_keys"};
  const auto is_it = [&](std::string_view each) { return same_word(each, pragma); };
  return std::any_of(any.begin(), any.end(), is_it) ||
         (!has_value && std::any_of(without.begin(), without.end(), is_it));
}

}  // namespace

guest_rules::guest_rules(sqlite3* handle) noexcept : handle_(handle) {
  sqlite3_set_authorizer(handle_, &guest_rules::ask, this);
}

guest_rules::~guest_rules() { sqlite3_set_authorizer(handle_, nullptr, nullptr); }

// ROLLBACK hides in conflict clauses, of statements and of tables, and in triggers: there it would end a transaction
// that is shared with others. And a table might be given the name of one of a service's.
result<void> guest_rules::check_compiled(std::string_view sql) const {
  if (alters_ && contains_word_part(sql, "dormouse_")) {
    return detail::refuse_service_call(errc::permission_denied, failure_reason::none,
                                       "names that begin with dormouse_ belong to services");
  }
  auto word = next_word(sql);
  if (same_word(word, "vacuum")) {
    return detail::refuse_service_call(errc::unsupported, failure_reason::none,
                                       "VACUUM cannot be done in a transaction, and there is always one");
  }
  for (; !word.empty(); word = next_word(sql)) {
    if (!same_word(word, "rollback")) continue;
    return detail::refuse_service_call(errc::permission_denied, failure_reason::none,
                                       "ROLLBACK is no clause for SQL here: see transaction::roll_back()");
  }
  return {};
}

failure guest_rules::explain(failure why) const {
  if (refused_size_ == 0) return why;
  auto ours =
      detail::make_failure(errc::permission_denied, why.effect, failure_reason::none, {refused_, refused_size_});
  ours.native_code = why.native_code;
  return ours;
}

int guest_rules::ask(void* self, int action, const char* first, const char* second, const char* where,
                     const char*) noexcept {
  auto& rules = *static_cast<guest_rules*>(self);
  return rules.hold_ ? rules.decide(action, first, second, where) : SQLITE_OK;
}

int guest_rules::decide(int action, const char* first, const char* second, const char* where) noexcept {
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT: return refuse("transactions are begun and ended by database::begin()", first);
    case SQLITE_ATTACH:
    case SQLITE_DETACH: return refuse("other files cannot be attached", {});
    case SQLITE_PRAGMA:
      if (only_tells(first, second != nullptr)) return SQLITE_OK;
      return refuse("this PRAGMA may change what others rely on", first);
    case SQLITE_FUNCTION:
      if (!same_word(second, "load_extension")) return SQLITE_OK;
      return refuse("extensions cannot be loaded", {});
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW: return refuse(temporary, first);
    case SQLITE_INSERT:  // also into the schema, for each that is made
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_VIEW:
    case SQLITE_CREATE_VTABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_TRIGGER:
      if (where != nullptr && same_word(where, "temp")) return refuse(temporary, first);
      return protect(first, action == SQLITE_CREATE_VTABLE ? nullptr : second);
    case SQLITE_ALTER_TABLE: alters_ = true; [[fallthrough]];
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_TRIGGER: return protect(first, second);
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_VIEW:
    case SQLITE_DROP_VTABLE: return protect(first, nullptr);
    default: return SQLITE_OK;
  }
}

int guest_rules::protect(const char* one, const char* other) noexcept {
  if (is_of_services(one)) return refuse("only services write the tables of services", one);
  if (is_of_services(other)) return refuse("only services write the tables of services", other);
  return SQLITE_OK;
}

int guest_rules::refuse(std::string_view why, std::string_view what) noexcept {
  const auto shown = what.substr(0, 64);
  const auto written = fmt::format_to_n(refused_, sizeof refused_, "{}{}{}", why, shown.empty() ? "" : ": ", shown);
  refused_size_ = static_cast<std::size_t>(written.out - refused_);
  return SQLITE_DENY;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite

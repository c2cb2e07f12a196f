// SPDX-License-Identifier: MIT
#include "table_tokens.hpp"

#include <dormouse/detail/service_call.hpp>

#include "item_codec.hpp"
#include "stored_row.hpp"

#include <chrono>
#include <new>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {

constexpr std::chrono::minutes age_max{10};

std::int64_t oldest_kept(calendar_time now) noexcept { return to_file_time(now - age_max); }

table_item to_record(const token_answer& answer) {
  attribute_list versions;
  for (const table_version each : answer.versions) versions.emplace_back(static_cast<std::int64_t>(each));
  table_item record{{"asked", static_cast<std::int64_t>(answer.asked)},
                    {"version", static_cast<std::int64_t>(answer.now.version)},
                    {"existed", answer.existed},
                    {"item", answer.now.item},
                    {"versions", std::move(versions)}};
  if (answer.now.expires_at) record.emplace("expires_at", to_file_time(*answer.now.expires_at));
  return record;
}

// Throws what std::get and map::at throw.
token_answer from_record(table_item&& record) {
  token_answer answer;
  answer.asked = static_cast<std::uint64_t>(std::get<std::int64_t>(record.at("asked")));
  answer.now.version = static_cast<table_version>(std::get<std::int64_t>(record.at("version")));
  answer.existed = std::get<bool>(record.at("existed"));
  answer.now.item = std::move(std::get<attribute_map>(record.at("item")));
  for (const attribute& each : std::get<attribute_list>(record.at("versions"))) {
    answer.versions.push_back(static_cast<table_version>(std::get<std::int64_t>(each)));
  }
  const auto expires_at = record.find("expires_at");
  if (expires_at != record.end()) answer.now.expires_at = from_file_time(std::get<std::int64_t>(expires_at->second));
  return answer;
}

}  // namespace

result<std::optional<token_answer>> find_answer(connection& in, const table_state& of, const std::string& token,
                                                std::uint64_t asked, calendar_time now) {
  auto row = in.prepare("SELECT answer FROM dormouse_tokens WHERE owner = ?1 AND token = ?2 AND made > ?3");
  if (!row) return std::move(row).error();
  auto found = row->bind(1, of.id).bind_blob(2, token).bind(3, oldest_kept(now)).step();
  if (!found) return std::move(found).error();
  if (!*found) return std::optional<token_answer>{};
  auto record = opened_record(token, row->blob(0));
  if (!record) return std::move(record).error();
  try {
    auto answer = from_record(std::move(*record));
    if (answer.asked == asked) return std::optional<token_answer>{std::move(answer)};
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {
    return corrupt("the answer kept for a token is malformed");
  }
  return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                     "the token was given to another call");
}

result<void> keep_answer(connection& in, const table_state& of, const std::string& token, const token_answer& answer,
                         calendar_time now) {
  {
    auto old = in.prepare(
        "DELETE FROM dormouse_tokens WHERE id IN (SELECT id FROM dormouse_tokens WHERE made <= ?1 ORDER BY made "
        "LIMIT 4)");
    if (!old) return std::move(old).error();
    auto done = old->bind(1, oldest_kept(now)).run();
    if (!done) return std::move(done).error();
  }
  const std::string record = sealed_record(token, to_record(answer));
  auto row = in.prepare("INSERT OR REPLACE INTO dormouse_tokens(owner, token, made, answer) VALUES(?1, ?2, ?3, ?4)");
  if (!row) return std::move(row).error();
  auto done = row->bind(1, of.id).bind_blob(2, token).bind(3, to_file_time(now)).bind_blob(4, record).run();
  if (!done) return std::move(done).error();
  return {};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite

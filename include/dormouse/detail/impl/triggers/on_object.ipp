// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/impl/triggers/change_log.ipp>
#include <dormouse/triggers/on_object.hpp>

#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

inline constexpr std::string_view object_created_type = "dormouse.object.created";
inline constexpr std::string_view object_deleted_type = "dormouse.object.deleted";

// The key is UTF-8, and stays so.
DORMOUSE_INLINE std::string subject_of_object(std::string_view key) {
  std::string subject;
  subject.reserve(key.size());
  for (std::size_t at = 0; at < key.size(); ++at) {
    const auto byte = static_cast<unsigned char>(key[at]);
    const bool c1 = byte == 0xc2 && at + 1 < key.size() && static_cast<unsigned char>(key[at + 1]) < 0xa0;
    if (byte >= 0x20 && byte != 0x7f && !c1) {
      subject += key[at];
      continue;
    }
    subject += fmt::format("%{:02X}", byte);
    if (c1) subject += fmt::format("%{:02X}", static_cast<unsigned char>(key[++at]));
  }
  return subject;
}

DORMOUSE_INLINE std::string metadata_text(const object_metadata& metadata) {
  std::string text;
  for (const auto& [name, value] : metadata) {
    if (!text.empty()) text += '&';
    text += escaped(name, "%&=") + '=' + escaped(value, "%&=");
  }
  return text;
}

DORMOUSE_INLINE bool read_metadata(std::string_view text, object_metadata& to) {
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return false;
    auto name = unescaped(pair.substr(0, equals));
    auto value = unescaped(pair.substr(equals + 1));
    if (!name || !value) return false;
    to.insert_or_assign(std::move(*name), std::move(*value));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

class object_log final : public watched_log<object_store> {
 public:
  object_log(object_store& source, object_change_kind kind, on_object_options options)
      : watched_log(source), kind_(kind), options_(std::move(options)) {}

 private:
  [[nodiscard]] std::string_view name() const noexcept override { return "the object store"; }
  [[nodiscard]] std::string_view mend() const noexcept override {
    return "use an adapter that does (object_store_capabilities::change_log)";
  }
  [[nodiscard]] bool wants(const object_change& each) const override {
    const std::string_view key = each.info.key;
    return each.kind == kind_ && key.starts_with(options_.prefix) && key.ends_with(options_.suffix);
  }
  [[nodiscard]] fed_change fed(object_change&& each) const override {
    const object_info& info = each.info;
    const bool is_put = kind_ == object_change_kind::put;
    event made{.type = std::string(is_put ? object_created_type : object_deleted_type),
               .source = options_.source,
               .subject = subject_of_object(info.key),
               .datacontenttype = "text/plain; charset=utf-8"};
    const auto add = [&](const char* name, std::string value) { made.extensions.emplace_back(name, std::move(value)); };
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(info.modified.time_since_epoch());
    add("sequence", fmt::to_string(each.sequence));
    add("size", fmt::to_string(info.size));
    add("etag", info.etag);
    add("modified", fmt::to_string(since.count()));
    if (!info.content_type.empty()) add("contenttype", info.content_type);
    if (!info.metadata.empty()) add("metadata", metadata_text(info.metadata));
    if (is_put) made.time = info.modified;
    made.data = info.key;
    return {.sequence = each.sequence, .key = std::move(each.info.key), .message = std::move(made)};
  }

  const object_change_kind kind_;
  const on_object_options options_;
};

// Times of the calendar are whole nanoseconds here; another library's may be coarser.
DORMOUSE_INLINE std::chrono::system_clock::time_point calendar_of(std::int64_t nanoseconds) {
  using clock_duration = std::chrono::system_clock::duration;
  return std::chrono::system_clock::time_point{
      std::chrono::duration_cast<clock_duration>(std::chrono::nanoseconds{nanoseconds})};
}

template <class Number>
bool read_extension(const event& message, std::string_view name, Number& to) {
  const std::string* const text = find_extension(message, name);
  if (text == nullptr) return false;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), to);
  return error == std::errc{} && end == text->data() + text->size();
}

template <class Event>
result<Event> decode_object_event(const event& message, std::string_view type, std::string_view trigger) {
  Event found;
  std::int64_t modified = 0;
  const std::string* const etag = find_extension(message, "etag");
  bool valid = message.type == type && !message.data.empty() && etag != nullptr &&
               read_extension(message, "sequence", found.sequence) && read_extension(message, "size", found.size) &&
               read_extension(message, "modified", modified);
  if (const auto* const metadata = find_extension(message, "metadata")) {
    valid = valid && read_metadata(*metadata, found.metadata);
  }
  if (!valid) return not_of_trigger(trigger);
  found.key = message.data.text();
  found.etag = *etag;
  found.modified = calendar_of(modified);
  if (const auto* const content_type = find_extension(message, "contenttype")) found.content_type = *content_type;
  return found;
}

DORMOUSE_INLINE std::unique_ptr<trigger> on_object(object_store& source, object_change_kind kind,
                                                   on_object_options options) {
  auto feed = checked_feed_options("on_object_options", options);
  if (options.prefix.size() > object_store::key_bytes_max || options.suffix.size() > object_store::key_bytes_max) {
    throw std::invalid_argument("dormouse: on_object_options: give a prefix and a suffix of at most 1,024 bytes");
  }
  return std::make_unique<change_feed>(std::make_unique<object_log>(source, kind, std::move(options)), std::move(feed));
}

}  // namespace detail

DORMOUSE_INLINE std::unique_ptr<trigger> on_object_created(object_store& source, on_object_options options) {
  return detail::on_object(source, object_change_kind::put, std::move(options));
}

DORMOUSE_INLINE std::unique_ptr<trigger> on_object_deleted(object_store& source, on_object_options options) {
  return detail::on_object(source, object_change_kind::erased, std::move(options));
}

DORMOUSE_INLINE result<object_created> codec<object_created>::decode(const event& message) {
  return detail::decode_object_event<object_created>(message, detail::object_created_type, "on_object_created");
}

DORMOUSE_INLINE result<object_deleted> codec<object_deleted>::decode(const event& message) {
  return detail::decode_object_event<object_deleted>(message, detail::object_deleted_type, "on_object_deleted");
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

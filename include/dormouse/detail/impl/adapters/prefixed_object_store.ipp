// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/adapters/prefixed_object_store.hpp>
#include <dormouse/detail/service_call.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class prefixed_object_store::upload final : public object_upload {
 public:
  upload(const prefixed_object_store& store, std::unique_ptr<object_upload> target)
      : store_(store), target_(std::move(target)) {}
  result<void> write(std::string_view bytes) override { return target_->write(bytes); }
  result<object_info> finish() override { return store_.own(target_->finish()); }

 private:
  const prefixed_object_store& store_;
  const std::unique_ptr<object_upload> target_;
};

class prefixed_object_store::download final : public object_download {
 public:
  download(const prefixed_object_store& store, std::unique_ptr<object_download> source)
      : info_(source->info()), source_(std::move(source)) {
    store.prefix_.take_off(info_.key);
  }
  [[nodiscard]] const object_info& info() const noexcept override { return info_; }
  result<std::size_t> read(std::span<char> to) override { return source_->read(to); }

 private:
  object_info info_;
  const std::unique_ptr<object_download> source_;
};

DORMOUSE_INLINE prefixed_object_store::prefixed_object_store(object_store& inner, std::string prefix)
    : forwarding_object_store(inner), prefix_(std::move(prefix)) {
  detail::check_room(forwarding_object_store::capabilities().key_bytes_max, prefix_);
}

DORMOUSE_INLINE object_store_capabilities prefixed_object_store::capabilities() const noexcept {
  object_store_capabilities can = forwarding_object_store::capabilities();
  can.key_bytes_max -= prefix_.size();
  return can;
}

DORMOUSE_INLINE result<void> prefixed_object_store::fits(std::string_view key) const {
  return prefix_.fits(key.size(), forwarding_object_store::capabilities().key_bytes_max);
}

DORMOUSE_INLINE result<object_info> prefixed_object_store::own(result<object_info> got) const {
  if (got) prefix_.take_off(got->key);
  return got;
}

DORMOUSE_INLINE result<std::unique_ptr<object_upload>> prefixed_object_store::do_create(
    std::string_view key, const object_put_options& options) {
  if (auto fit = fits(key); !fit) return std::move(fit).error();
  auto made = create_inner(prefix_.before(key), options);
  if (!made) return made;
  return std::unique_ptr<object_upload>(std::make_unique<upload>(*this, std::move(*made)));
}

DORMOUSE_INLINE result<std::unique_ptr<object_download>> prefixed_object_store::do_open(
    std::string_view key, const object_get_options& options) {
  if (auto fit = fits(key); !fit) return std::move(fit).error();
  auto opened = open_inner(prefix_.before(key), options);
  if (!opened) return opened;
  return std::unique_ptr<object_download>(std::make_unique<download>(*this, std::move(*opened)));
}

DORMOUSE_INLINE result<object_info> prefixed_object_store::do_head(std::string_view key, const call_options& options) {
  if (auto fit = fits(key); !fit) return std::move(fit).error();
  return own(forwarding_object_store::do_head(prefix_.before(key), options));
}

DORMOUSE_INLINE result<bool> prefixed_object_store::do_erase(std::string_view key, const call_options& options) {
  if (auto fit = fits(key); !fit) return std::move(fit).error();
  return forwarding_object_store::do_erase(prefix_.before(key), options);
}

DORMOUSE_INLINE result<object_info> prefixed_object_store::do_copy(std::string_view from, std::string_view to,
                                                                   const object_put_options& options) {
  for (const std::string_view each : {from, to}) {
    if (auto fit = fits(each); !fit) return std::move(fit).error();
  }
  return own(forwarding_object_store::do_copy(prefix_.before(from), prefix_.before(to), options));
}

DORMOUSE_INLINE result<std::vector<object_info>> prefixed_object_store::do_list(std::string_view prefix,
                                                                                std::string_view after,
                                                                                std::size_t count,
                                                                                const call_options& options) {
  if (auto fit = fits(prefix); !fit) return std::move(fit).error();
  const std::string behind = after.empty() ? std::string{} : prefix_.before(after);
  auto found = forwarding_object_store::do_list(prefix_.before(prefix), behind, count, options);
  if (!found) return found;
  for (object_info& each : *found) prefix_.take_off(each.key);
  return found;
}

DORMOUSE_INLINE result<std::vector<object_change>> prefixed_object_store::do_changes(std::uint64_t after,
                                                                                     std::size_t count,
                                                                                     const call_options& options) {
  return foreign_.changes<object_change>(
      after, count,
      [&](std::uint64_t at, std::size_t most) -> result<std::vector<object_change>> {
        if (auto fit = detail::in_time(time(), options.deadline); !fit) return std::move(fit).error();
        return forwarding_object_store::do_changes(at, most, options);
      },
      [&](object_change& each) {
        if (!prefix_.is_own(each.info.key)) return false;
        prefix_.take_off(each.info.key);
        return true;
      });
}

DORMOUSE_INLINE result<std::optional<std::uint64_t>> prefixed_object_store::do_position(std::string_view reader,
                                                                                        const call_options& options) {
  return forwarding_object_store::do_position(prefix_.own_name(reader), options);
}

DORMOUSE_INLINE result<void> prefixed_object_store::do_remember(std::string_view reader, std::uint64_t position,
                                                                const call_options& options) {
  return forwarding_object_store::do_remember(prefix_.own_name(reader), position, options);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

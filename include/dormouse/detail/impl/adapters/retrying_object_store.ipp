// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/adapters/retrying_object_store.hpp>
#include <dormouse/detail/service_call.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// Keeps what was written, so that it can be written again into another upload.
class retrying_object_store::upload final : public object_upload {
 public:
  upload(retrying_object_store& store, std::string_view key, const object_put_options& options,
         std::unique_ptr<object_upload> target)
      : store_(store), key_(key), options_(options), target_(std::move(target)) {}

  result<void> write(std::string_view bytes) override {
    keep(bytes);
    auto what = detail::write_call(service_operation::object_write, may_replay(), options_.deadline);
    auto written = write_to_target(bytes);
    for (detail::retries::progress at; !written && store_.how().waits_for_next(at, what, written.error());) {
      written = replay();
    }
    return written;
  }

  result<object_info> finish() override {
    auto what = detail::write_call(service_operation::object_finish, detail::repetition::never, options_.deadline);
    if (may_replay() == detail::repetition::always) what.again = detail::repetition::if_not_applied;
    auto finished = finish_target();
    for (detail::retries::progress at; !finished && store_.how().waits_for_next(at, what, finished.error());) {
      auto written = replay();
      finished = written ? finish_target() : result<object_info>(std::move(written).error());
    }
    return finished;
  }

 private:
  void keep(std::string_view bytes) {
    if (!kept_) return;
    if (bytes.size() <= store_.how().options().replay_bytes_max - kept_->size()) {
      kept_->append(bytes);
    } else {
      kept_.reset();
    }
  }
  [[nodiscard]] detail::repetition may_replay() const noexcept {
    return kept_ ? detail::repetition::always : detail::repetition::never;
  }
  result<void> write_to_target(std::string_view bytes) {
    return detail::contained([&](effect_kind&) { return target_->write(bytes); });
  }
  result<object_info> finish_target() {
    return detail::contained([&](effect_kind& effect) {
      effect = effect_kind::unknown;
      return target_->finish();
    });
  }
  // Nothing is to be seen of an upload that was not finished: a failure here has changed nothing.
  result<void> replay() {
    auto made = store_.create_inner(key_, options_);
    if (made) target_ = std::move(*made);
    auto written = made ? write_to_target(*kept_) : result<void>(std::move(made).error());
    if (written) return written;
    failure why = std::move(written).error();
    why.effect = effect_kind::not_applied;
    return why;
  }

  retrying_object_store& store_;
  const std::string key_;
  const object_put_options options_;
  std::unique_ptr<object_upload> target_;
  std::optional<std::string> kept_{std::in_place};  // empty: it was too much
};

// Knows how far it has come, so that it can go on from there in another download.
class retrying_object_store::download final : public object_download {
 public:
  download(retrying_object_store& store, std::string_view key, const object_get_options& options,
           const object_extent& extent, std::unique_ptr<object_download> source)
      : store_(store), key_(key), options_(options), at_(extent), info_(source->info()), source_(std::move(source)) {}

  [[nodiscard]] const object_info& info() const noexcept override { return info_; }
  result<std::size_t> read(std::span<char> to) override {
    const auto what = detail::read_call(service_operation::object_read, options_.deadline);
    auto got = read_source(to);
    for (detail::retries::progress at; !got && store_.how().waits_for_next(at, what, got.error());) {
      auto opened = reopen();
      const bool is_gone = opened ? (*opened)->info().etag != info_.etag : !detail::may_pass(opened.error().code);
      if (is_gone) return got;
      if (opened) source_ = std::move(*opened);
      got = opened ? read_source(to) : result<std::size_t>(std::move(opened).error());
    }
    if (got) at_ = {at_.offset + *got, at_.length - *got};
    return got;
  }

 private:
  result<std::size_t> read_source(std::span<char> to) {
    return detail::contained([&](effect_kind&) { return source_->read(to); });
  }
  result<std::unique_ptr<object_download>> reopen() {
    object_get_options rest = options_;
    // An offset at the end of the object would be refused; from the start, nothing is as good.
    rest.range = {.offset = at_.length == 0 ? 0 : at_.offset, .length = at_.length};
    return store_.open_inner(key_, rest);
  }

  retrying_object_store& store_;
  const std::string key_;
  const object_get_options options_;
  object_extent at_;  // what has not been read
  const object_info info_;
  std::unique_ptr<object_download> source_;
};

DORMOUSE_INLINE result<std::unique_ptr<object_upload>> retrying_object_store::do_create(
    std::string_view key, const object_put_options& options) {
  auto made = forward_create(key, options);
  if (!made) return std::move(made).error();
  return std::unique_ptr<object_upload>(std::make_unique<upload>(*this, key, options, std::move(*made)));
}

DORMOUSE_INLINE result<std::unique_ptr<object_download>> retrying_object_store::do_open(
    std::string_view key, const object_get_options& options) {
  auto opened = forward_open(key, options);
  if (!opened) return std::move(opened).error();
  const auto extent = checked_range(options.range, (*opened)->info().size);
  if (!extent) return extent.error();
  return std::unique_ptr<object_download>(std::make_unique<download>(*this, key, options, *extent, std::move(*opened)));
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

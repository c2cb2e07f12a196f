// SPDX-License-Identifier: MIT
#pragma once

// An object store that asks another one, with a behaviour around each call: see forwarding_call.hpp.

#include <dormouse/detail/forwarding_call.hpp>
#include <dormouse/services/object_store.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

template <class Behaviour>
class forwarding_upload final : public object_upload {
 public:
  forwarding_upload(Behaviour& how, std::unique_ptr<object_upload> target,
                    const std::optional<clock::time_point>& deadline)
      : how_(how), target_(std::move(target)), deadline_(deadline) {}

  result<void> write(std::string_view bytes) override {
    auto what = write_call(service_operation::object_write, repetition::never, deadline_, bytes.size());
    what.unheard = effect_kind::not_applied;  // nothing is to be seen before finish()
    return forward_call(how_, what, [&] { return target_->write(bytes); });
  }
  result<object_info> finish() override {
    const auto what = write_call(service_operation::object_finish, repetition::never, deadline_);
    return forward_call(how_, what, [&] { return target_->finish(); });
  }

 private:
  Behaviour& how_;
  const std::unique_ptr<object_upload> target_;
  const std::optional<clock::time_point> deadline_;
};

template <class Behaviour>
class forwarding_download final : public object_download {
 public:
  forwarding_download(Behaviour& how, std::unique_ptr<object_download> source,
                      const std::optional<clock::time_point>& deadline)
      : how_(how), source_(std::move(source)), deadline_(deadline) {}

  [[nodiscard]] const object_info& info() const noexcept override { return source_->info(); }
  result<std::size_t> read(std::span<char> to) override {
    auto what = read_call(service_operation::object_read, deadline_);
    what.again = repetition::never;  // what has been read is gone
    return forward_call(
        how_, what, [&] { return source_->read(to); }, [](std::size_t bytes) { return bytes; });
  }

 private:
  Behaviour& how_;
  const std::unique_ptr<object_download> source_;
  const std::optional<clock::time_point> deadline_;
};

template <class Behaviour>
class forwarding_object_store : public object_store {
 public:
  [[nodiscard]] object_store_capabilities capabilities() const noexcept override { return inner_.capabilities(); }
  [[nodiscard]] durability_level durability() const noexcept override { return inner_.durability(); }

 protected:
  template <class... Given>
  explicit forwarding_object_store(object_store& inner, Given&&... given)
      : object_store(inner.time()), inner_(inner), how_(inner.time(), std::forward<Given>(given)...) {}
  [[nodiscard]] Behaviour& how() noexcept { return how_; }
  [[nodiscard]] const Behaviour& how() const noexcept { return how_; }

  // As the inner store makes them, without the behaviour.
  result<std::unique_ptr<object_upload>> create_inner(std::string_view key, const object_put_options& options) {
    return contained([&](effect_kind&) { return inner_.do_create(key, options); });
  }
  result<std::unique_ptr<object_download>> open_inner(std::string_view key, const object_get_options& options) {
    return contained([&](effect_kind&) { return inner_.do_open(key, options); });
  }
  // With it.
  result<std::unique_ptr<object_upload>> forward_create(std::string_view key, const object_put_options& options) {
    auto what = write_call(service_operation::object_create, repetition::always, options.deadline);
    what.unheard = effect_kind::not_applied;
    return forward_call(how_, what, [&] { return inner_.do_create(key, options); });
  }
  result<std::unique_ptr<object_download>> forward_open(std::string_view key, const object_get_options& options) {
    const auto what = read_call(service_operation::object_open, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_open(key, options); });
  }

  using operation = service_operation;

  result<std::unique_ptr<object_upload>> do_create(std::string_view key, const object_put_options& options) override {
    auto made = forward_create(key, options);
    if (!made) return std::move(made).error();
    return std::unique_ptr<object_upload>(
        std::make_unique<forwarding_upload<Behaviour>>(how_, std::move(*made), options.deadline));
  }
  result<std::unique_ptr<object_download>> do_open(std::string_view key, const object_get_options& options) override {
    auto opened = forward_open(key, options);
    if (!opened) return std::move(opened).error();
    return std::unique_ptr<object_download>(
        std::make_unique<forwarding_download<Behaviour>>(how_, std::move(*opened), options.deadline));
  }
  result<object_info> do_head(std::string_view key, const call_options& options) override {
    const auto what = read_call(operation::object_head, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_head(key, options); });
  }
  result<bool> do_erase(std::string_view key, const call_options& options) override {
    const auto what = write_call(operation::object_erase, repetition::if_not_applied, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_erase(key, options); });
  }
  result<object_info> do_copy(std::string_view from, std::string_view to, const object_put_options& options) override {
    const auto what = write_call(operation::object_copy, repetition::if_not_applied, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_copy(from, to, options); });
  }
  result<std::vector<object_info>> do_list(std::string_view prefix, std::string_view after, std::size_t count,
                                           const call_options& options) override {
    const auto what = read_call(operation::object_list, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_list(prefix, after, count, options); });
  }

  result<std::vector<object_change>> do_changes(std::uint64_t after, std::size_t count,
                                                const call_options& options) override {
    const auto what = read_call(operation::object_changes, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_changes(after, count, options); });
  }
  result<std::uint64_t> do_last_change(const call_options& options) override {
    const auto what = read_call(operation::object_last_change, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_last_change(options); });
  }
  result<std::optional<std::uint64_t>> do_position(std::string_view reader, const call_options& options) override {
    const auto what = read_call(operation::object_position, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_position(reader, options); });
  }
  // One reader has one position, and says it himself: nobody else's is overwritten.
  result<void> do_remember(std::string_view reader, std::uint64_t position, const call_options& options) override {
    const auto what = write_call(operation::object_remember, repetition::always, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_remember(reader, position, options); });
  }
  result<void> do_watch(change_watcher& who) override {
    const auto what = write_call(operation::object_watch, repetition::if_not_applied, {});
    return forward_call(how_, what, [&] { return inner_.do_watch(who); });
  }
  void do_unwatch(change_watcher& who) noexcept override { inner_.do_unwatch(who); }

 private:
  object_store& inner_;
  Behaviour how_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail

// SPDX-License-Identifier: MIT
// The least that an adapter of object stores has to do (docs/writing-an-adapter.md): start from a copy of this one. It
// declares nothing beyond the contract, so the suite proves that the rest is refused.

#include "support/catch.hpp"

#include <dormouse/services/object_store.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/object_store_conformance.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace dormouse;

namespace {

class skeleton_object_store final : public object_store {
 public:
  explicit skeleton_object_store(const dormouse::clock& time) : object_store(time) {}

  object_store_capabilities capabilities() const noexcept override { return {.object_bytes_max = 16U << 20U}; }
  durability_level durability() const noexcept override { return durability_level::memory; }

 private:
  struct kept {
    object_info info{};
    std::string bytes{};
  };
  using kept_pointer = std::shared_ptr<const kept>;

  // A put in progress: nothing is to be seen of it before finish(), and nothing is left of it without.
  class upload final : public object_upload {
   public:
    upload(skeleton_object_store& store, std::string_view key, const object_put_options& options) : store_(store) {
      fresh_.info.key = key;
      fresh_.info.content_type = options.content_type;
      fresh_.info.metadata = options.metadata;
    }
    result<void> write(std::string_view bytes) override {
      fresh_.bytes.append(bytes);
      return {};
    }
    result<object_info> finish() override { return store_.keep(std::move(fresh_)); }

   private:
    skeleton_object_store& store_;
    kept fresh_{};
  };

  // A read in progress: it has the object that was there when it began, whatever becomes of it.
  class download final : public object_download {
   public:
    download(kept_pointer from, const object_extent& extent)
        : from_(std::move(from)), left_(std::string_view(from_->bytes).substr(extent.offset, extent.length)) {}
    const object_info& info() const noexcept override { return from_->info; }
    result<std::size_t> read(std::span<char> to) override {
      const std::size_t count = left_.copy(to.data(), to.size());
      left_.remove_prefix(count);
      return count;
    }

   private:
    const kept_pointer from_;
    std::string_view left_;
  };

  result<std::unique_ptr<object_upload>> do_create(std::string_view key, const object_put_options& options) override {
    return std::unique_ptr<object_upload>(std::make_unique<upload>(*this, key, options));
  }
  result<std::unique_ptr<object_download>> do_open(std::string_view key, const object_get_options& options) override {
    const auto found = find(key);
    if (found == nullptr) return absent(key);
    const auto extent = checked_range(options.range, found->info.size);
    if (!extent) return extent.error();
    return std::unique_ptr<object_download>(std::make_unique<download>(found, *extent));
  }
  result<object_info> do_head(std::string_view key, const call_options&) override {
    const auto found = find(key);
    if (found == nullptr) return absent(key);
    return found->info;
  }
  result<bool> do_erase(std::string_view key, const call_options&) override {
    const std::lock_guard lock(mutex_);
    return objects_.erase(std::string(key)) != 0;
  }
  result<object_info> do_copy(std::string_view from, std::string_view to, const object_put_options&) override {
    const auto found = find(from);
    if (found == nullptr) return absent(from);
    kept fresh = *found;
    fresh.info.key = to;
    return keep(std::move(fresh));
  }
  result<std::vector<object_info>> do_list(std::string_view prefix, std::string_view after, std::size_t count,
                                           const call_options&) override {
    const std::lock_guard lock(mutex_);
    std::vector<object_info> found;
    for (const auto& [key, each] : objects_) {
      if (key > after && key.starts_with(prefix) && found.size() < count) found.push_back(each->info);
    }
    return found;
  }

  static failure absent(std::string_view key) {
    return {.code = errc::not_found, .effect = effect_kind::not_applied, .detail = std::string(key)};
  }
  kept_pointer find(std::string_view key) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(std::string(key));
    return found != objects_.end() ? found->second : nullptr;
  }
  result<object_info> keep(kept&& fresh) {
    const std::lock_guard lock(mutex_);
    fresh.info.size = fresh.bytes.size();
    fresh.info.modified = time().wall();
    fresh.info.etag = std::to_string(++puts_);
    const object_info info = fresh.info;
    objects_.insert_or_assign(info.key, std::make_shared<const kept>(std::move(fresh)));
    return info;
  }

  std::mutex mutex_{};
  std::map<std::string, kept_pointer> objects_{};
  std::uint64_t puts_ = 0;
};

}  // namespace

TEST_CASE("the skeleton of an object store conforms, and what it does not declare is refused",
          "[adapter][object_store]") {
  testing::manual_clock time;
  testing::check_object_store_conformance({.make_empty = [&] { return std::make_unique<skeleton_object_store>(time); },
                                           .now = [&] { return time.now(); },
                                           .advance = [&](auto by) { time.advance(by); }});
}

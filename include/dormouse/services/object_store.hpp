// SPDX-License-Identifier: MIT
#pragma once

// Bytes by key, of any size: the object storage service, after S3's model. An adapter derives from `object_store` and
// overrides the do_ functions, which get checked arguments only.
// An object is written as a whole and appears at once: a reader sees the former object or the new one, never a mixture,
// and a put that ends early in any way leaves what was there before.
// Threads:  every member function of a store may be called from any thread; a writer or reader by one at a time.
// Blocking: until the engine has answered or the call's deadline has passed.
// Errors:   no member throws; what an adapter throws becomes internal, std::bad_alloc becomes out_of_memory. The effect
//           is not_applied for reads and for all that is refused before the adapter is asked; else what the adapter
//           says, unknown if it threw.
// Owning:   a store must outlive its writers and readers. Arguments are not kept; results are the caller's own.
// Keys:     1 .. 1,024 bytes of UTF-8 without NUL. They are names, never paths: "..", "/a" and "a/" mean nothing.
// Limits:   those of S3 (Amazon S3 User Guide, "Creating object key names", "Working with object metadata", "Listing
//           object keys programmatically"): see the constants below.

#include <dormouse/clock.hpp>
#include <dormouse/payload.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/call_options.hpp>
#include <dormouse/services/change_watcher.hpp>
#include <dormouse/services/durability.hpp>
#include <dormouse/services/object_change.hpp>
#include <dormouse/services/object_stream.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {
template <class Behaviour>
class forwarding_object_store;
}

// What an adapter can do beyond the contract of every store. What it cannot is refused as unsupported, before any
// effect.
struct object_store_capabilities {
  bool change_log = false;                       // changes(), last_change(), watch(), position(), remember()
  bool conditional_put = false;                  // if_absent and if_match, of put and copy
  std::uint64_t object_bytes_max = 5ULL << 30U;  // of one object; larger: too_large (value_bytes)
  std::size_t key_bytes_max = 1'024;             // of one key; longer: invalid_argument (key_bytes)
};

struct object_put_options {
  // The former object must have this state, or condition_failed and nothing changes. At most one of the two.
  bool if_absent = false;
  std::string if_match{};  // its etag; empty: no condition
  std::string content_type{};
  object_metadata metadata{};
  // For the whole put: a writer fails when it passes between two calls. As in call_options.
  std::optional<clock::time_point> deadline{};
};

struct object_get_options {
  object_range range{};
  // get() only: more bytes than this are too_large (value_bytes); open() has no such limit. 0 .. 1 TiB.
  std::size_t bytes_max = std::size_t{64} << 20U;
  std::optional<clock::time_point> deadline{};  // as in object_put_options
};

struct stored_object {
  object_info info{};
  payload data{};  // of the range that was asked for
};

struct object_list_options {
  std::string prefix{};
  // Keys that have it after the prefix are not listed: what they have in common up to it is, once. 0 .. 1,024 bytes.
  std::string delimiter{};
  // Only keys after it; need not exist. Not together with a cursor.
  std::string start_after{};
  // Objects and common prefixes in a page at most, 1 .. 1,000.
  std::size_t page_size = 1'000;
  // Where the page before ended; empty: from the start.
  std::string cursor{};
  std::optional<clock::time_point> deadline{};  // as in call_options
};

struct object_page {
  std::vector<object_info> objects{};          // in the order of their keys' bytes
  std::vector<std::string> common_prefixes{};  // in the same order
  // For the next page; empty: this was the last one. Opaque printable text, good only with the same prefix and
  // delimiter.
  std::string cursor{};
};

class object_store {
 public:
  static constexpr std::size_t key_bytes_max = 1'024;
  static constexpr std::size_t content_type_bytes_max = 255;
  static constexpr std::size_t metadata_bytes_max = 2'048;  // names and values of one object together
  static constexpr std::size_t page_size_max = 1'000;
  static constexpr std::size_t get_bytes_max = std::size_t{1} << 40U;  // the largest object_get_options::bytes_max

  virtual ~object_store() = default;
  object_store(const object_store&) = delete;
  object_store& operator=(const object_store&) = delete;

  [[nodiscard]] virtual object_store_capabilities capabilities() const noexcept = 0;
  [[nodiscard]] virtual durability_level durability() const noexcept = 0;

  // Stores an object of unknown size, piece by piece. Nothing is to be seen of it before its finish().
  // Fails: invalid_argument (key_bytes, name), too_large (value_bytes: metadata), unsupported, deadline_exceeded
  // (caller_deadline), unavailable (engine), out_of_memory. Conditions are checked at the end; here, too, by adapters
  // that can.
  result<object_writer> create(std::string_view key, const object_put_options& options = {});
  // Stores these bytes. Fails as create and object_writer.
  result<object_info> put(std::string_view key, std::string_view bytes, const object_put_options& options = {});

  // Reads an object piece by piece: the one there is now, to its end, even if it is replaced or erased meanwhile.
  // Fails: not_found, invalid_argument (key_bytes; a range that begins behind the end), deadline_exceeded
  // (caller_deadline), unavailable (engine), out_of_memory.
  result<object_reader> open(std::string_view key, const object_get_options& options = {});
  // Its bytes at once. Fails as open and object_reader, and: too_large (value_bytes).
  result<stored_object> get(std::string_view key, const object_get_options& options = {});
  // All but the bytes. Fails as open.
  result<object_info> head(std::string_view key, const call_options& options = {});

  // Was there an object? It is gone now. Fails: invalid_argument (key_bytes), deadline_exceeded, unavailable.
  result<bool> erase(std::string_view key, const call_options& options = {});
  // The object at `from`, with its content type and metadata, as a new one at `to`.
  // Fails as open and create, and: invalid_argument for a content type or metadata in `options`.
  result<object_info> copy(std::string_view from, std::string_view to, const object_put_options& options = {});
  // A page of what there is, in the order of the keys' bytes. Objects that are there during the whole walk from page to
  // page are given exactly once. Fails: invalid_argument (page_size, key_bytes; a cursor that is malformed or belongs
  // to another prefix or delimiter), deadline_exceeded, unavailable.
  result<object_page> list(const object_list_options& options = {});

  // The changes behind `after` in the order of their numbers, oldest first, `count` of 1 .. 1,000 at most; fewer only
  // when there are no more. Fails: unsupported (without change_log), expired when changes behind `after` are kept no
  // more (then list() says what there is), invalid_argument (page_size; a number that no change has had yet),
  // deadline_exceeded, unavailable.
  result<std::vector<object_change>> changes(std::uint64_t after, std::size_t count = 100,
                                             const call_options& options = {});
  // The number of the last change; 0: none yet. Fails as changes.
  result<std::uint64_t> last_change(const call_options& options = {});
  // How far a reader has come, by its name, 1 .. 64 of [A-Za-z0-9_-]: kept as well as the objects are. Empty: never
  // said. Fails: unsupported, invalid_argument (name), limit_exceeded (store_full), deadline_exceeded, unavailable.
  result<std::optional<std::uint64_t>> position(std::string_view reader, const call_options& options = {});
  result<void> remember(std::string_view reader, std::uint64_t position, const call_options& options = {});
  // Tells `who` of every change from now on until unwatch() has returned. Fails: unsupported, out_of_memory.
  result<void> watch(change_watcher& who);
  void unwatch(change_watcher& who) noexcept;

 protected:
  // `time` decides deadlines and must outlive the store.
  explicit object_store(const clock& time) noexcept : time_(time) {}
  [[nodiscard]] const clock& time() const noexcept { return time_; }

 private:
  template <class Behaviour>
  friend class detail::forwarding_object_store;  // a decorator asks the store behind it
  // What an adapter overrides. Keys, options, conditions and deadlines have been checked; deadlines are passed on for
  // engines that can wait, and for decorators. A failure says not_applied when nothing was changed.
  virtual result<std::unique_ptr<object_upload>> do_create(std::string_view key, const object_put_options& options) = 0;
  // With `info` of the whole object; options.range has not been checked against its size: see checked_range().
  virtual result<std::unique_ptr<object_download>> do_open(std::string_view key, const object_get_options& options) = 0;
  virtual result<object_info> do_head(std::string_view key, const call_options& options) = 0;
  virtual result<bool> do_erase(std::string_view key, const call_options& options) = 0;
  virtual result<object_info> do_copy(std::string_view from, std::string_view to,
                                      const object_put_options& options) = 0;
  // The first `count` objects with the prefix whose keys come after `after` (empty: from the start) in the order of
  // their bytes. Fewer only when no more are there.
  virtual result<std::vector<object_info>> do_list(std::string_view prefix, std::string_view after, std::size_t count,
                                                   const call_options& options) = 0;

  // Without change_log none of these is called.
  virtual result<std::vector<object_change>> do_changes(std::uint64_t after, std::size_t count,
                                                        const call_options& options);
  virtual result<std::uint64_t> do_last_change(const call_options& options);
  virtual result<std::optional<std::uint64_t>> do_position(std::string_view reader, const call_options& options);
  virtual result<void> do_remember(std::string_view reader, std::uint64_t position, const call_options& options);
  virtual result<void> do_watch(change_watcher& who);
  virtual void do_unwatch(change_watcher& who) noexcept;

  result<void> check_log(const std::optional<clock::time_point>& deadline) const;
  result<void> check_put(std::string_view key, const object_put_options& options) const;
  result<object_page> walk(const object_list_options& options, std::string after);
  const clock& time_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/object_store.ipp>
#endif

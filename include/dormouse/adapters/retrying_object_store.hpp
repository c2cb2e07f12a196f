// SPDX-License-Identifier: MIT
#pragma once

// An object store whose calls are made again when that is harmless: see retrying.hpp.
// A put, or an upload piece by piece, is made anew from its start as long as its bytes are kept (replay_bytes_max): a
// failure between create() and finish() has changed nothing. A finish() of which nothing is known is not made again.
// A download is opened anew where it was, if the object is still the one it began with; else its failure comes back.
// Threads, Blocking, Errors: as the inner store, which must outlive this one; and for the delays.

#include <dormouse/adapters/retrying.hpp>
#include <dormouse/detail/forwarding_object_store.hpp>
#include <dormouse/services/object_store.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class retrying_object_store final : public detail::forwarding_object_store<detail::retries> {
 public:
  // Throws std::invalid_argument naming the option that is outside its bounds.
  explicit retrying_object_store(object_store& inner, retrying_options options = {})
      : forwarding_object_store(inner, std::move(options)) {}
  // Attempts after a first one, of all calls.
  [[nodiscard]] std::uint64_t repeated() const noexcept { return how().repeated(); }

 private:
  class upload;
  class download;
  result<std::unique_ptr<object_upload>> do_create(std::string_view key, const object_put_options& options) override;
  result<std::unique_ptr<object_download>> do_open(std::string_view key, const object_get_options& options) override;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/adapters/retrying_object_store.ipp>
#endif

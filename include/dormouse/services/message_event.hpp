// SPDX-License-Identifier: MIT
#pragma once

// Events in the form of messages, and messages seen as events. The attributes of an event become attributes of the
// message, named as in the binary mode of the Kafka protocol binding ("Kafka Protocol Binding for CloudEvents - Version
// 1.0.2"): "ce_type", "ce_id" and so on, "content-type" for datacontenttype; its data are the message's.
// Threads: plain functions.

#include <dormouse/event.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/queue_types.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// The event as a message without group and dedup_id. `id`, `source` and `time` must have been filled in, the time
// within the years 1700 .. 2261, and the extensions as validate() wants them.
[[nodiscard]] queue_message event_message(event from);
// The event that event_message() was given, its extensions by name. Of another message: an event of type
// "dormouse.queue.message" whose id is the message's, with its data, its time, its content-type attribute, its group
// as the subject, and those attributes as extensions whose names may be some (1 .. 20 of [a-z0-9], and no attribute's
// of an event). The extensions "deliveries" and "sequence" tell of the delivery in either case, in the place of the
// event's own.
[[nodiscard]] event message_event(const queue_delivery& from);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/message_event.ipp>
#endif

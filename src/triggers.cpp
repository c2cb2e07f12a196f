// SPDX-License-Identifier: MIT
// Bodies of the triggers that are more than a timer. See dormouse.cpp.

#include <dormouse/detail/impl/change_feed.ipp>
#include <dormouse/detail/impl/directory_scan.ipp>
#include <dormouse/detail/impl/directory_watch.ipp>
#include <dormouse/detail/impl/events_in_flight.ipp>
#include <dormouse/detail/impl/triggers/change_log.ipp>
#include <dormouse/detail/impl/triggers/cron_fields.ipp>
#include <dormouse/detail/impl/triggers/cron_parser.ipp>
#include <dormouse/detail/impl/triggers/message_flights.ipp>
#include <dormouse/detail/impl/triggers/message_pump.ipp>
#include <dormouse/detail/impl/triggers/message_settling.ipp>
#include <dormouse/detail/impl/triggers/nominal_times.ipp>
#include <dormouse/detail/impl/triggers/on_change.ipp>
#include <dormouse/detail/impl/triggers/on_file.ipp>
#include <dormouse/detail/impl/triggers/on_message.ipp>
#include <dormouse/detail/impl/triggers/on_object.ipp>
#include <dormouse/detail/impl/triggers/on_schedule.ipp>
#include <dormouse/detail/impl/triggers/schedule.ipp>
#include <dormouse/detail/impl/unsure_files.ipp>

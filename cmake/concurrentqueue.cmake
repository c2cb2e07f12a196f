# Where is moodycamel's concurrentqueue? Headers only, and every package puts them elsewhere. Our sources spell it
# <concurrentqueue.h>; this finds the directory that makes the spelling true. Also used by the installed package.
function(dormouse_find_concurrentqueue out_directory)
  set(hints)
  foreach(target IN ITEMS concurrentqueue::concurrentqueue concurrentqueue)
    if(TARGET ${target})
      get_target_property(directories ${target} INTERFACE_INCLUDE_DIRECTORIES)
      foreach(directory IN LISTS directories)
        string(REGEX REPLACE "^\\$<BUILD_INTERFACE:(.*)>$" "\\1" directory "${directory}")
        list(APPEND hints "${directory}")
      endforeach()
    endif()
  endforeach()
  find_path(DORMOUSE_CONCURRENTQUEUE_DIR NAMES concurrentqueue.h HINTS ${hints}
            PATH_SUFFIXES concurrentqueue concurrentqueue/moodycamel moodycamel
            DOC "Directory of concurrentqueue.h")
  mark_as_advanced(DORMOUSE_CONCURRENTQUEUE_DIR)
  set(${out_directory} "${DORMOUSE_CONCURRENTQUEUE_DIR}" PARENT_SCOPE)
endfunction()

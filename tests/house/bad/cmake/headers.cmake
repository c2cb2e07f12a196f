# A list that is out of date.
set(DORMOUSE_PUBLIC_HEADERS
    include/dormouse/failure.hpp
    include/dormouse/gone.hpp
)

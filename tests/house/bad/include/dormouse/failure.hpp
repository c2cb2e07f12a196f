#pragma once
#include <dormouse/functions/registry.hpp>

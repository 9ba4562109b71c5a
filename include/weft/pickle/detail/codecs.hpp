#pragma once

// All ways in which values travel.

#include <weft/pickle/detail/compound.hpp>
#include <weft/pickle/detail/containers.hpp>
#include <weft/pickle/detail/pointers.hpp>
#include <weft/pickle/detail/scalars.hpp>
#include <weft/pickle/detail/user_class.hpp>
#include <weft/pickle/detail/value_codec.hpp>

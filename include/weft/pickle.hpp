#pragma once

/// Python's pickle: values of C++ that Python reads, and the other way round.
/// Needs the headers of Boost 1.76 or newer (Boost.PFR).

#include <weft/pickle/archive.hpp>
#include <weft/pickle/bytes.hpp>
#include <weft/pickle/errors.hpp>
#include <weft/pickle/exceptions.hpp>
#include <weft/pickle/functions.hpp>
#include <weft/pickle/options.hpp>
#include <weft/pickle/registration.hpp>
#include <weft/pickle/value.hpp>

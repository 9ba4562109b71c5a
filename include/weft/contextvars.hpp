#pragma once

/// Values that belong to what is being done rather than to a thread, after Python's `contextvars`.
#include <weft/contextvars/context.hpp>
#include <weft/contextvars/context_var.hpp>
#include <weft/contextvars/keep.hpp>

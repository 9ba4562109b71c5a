#pragma once

/// How coroutines wait for what threads wait for.

#include <weft/coroutines/locks.hpp>
#include <weft/coroutines/queues.hpp>
#include <weft/resume_on.hpp>

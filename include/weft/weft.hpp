#pragma once

/// Everything of Weft at once. A program that wants to compile fast includes the modules it uses.

#include <weft/_dummy_thread.hpp>
#include <weft/_thread.hpp>
#include <weft/bind_front.hpp>
#include <weft/concurrent/futures.hpp>
#include <weft/contextvars.hpp>
#include <weft/coroutines.hpp>
#include <weft/dummy_threading.hpp>
#include <weft/errors.hpp>
#include <weft/keyboard_interrupt.hpp>
#include <weft/manual_clock.hpp>
#if __has_include(<boost/pfr/core.hpp>)
#    include <weft/pickle.hpp>
#endif
#include <weft/queue.hpp>
#include <weft/sched.hpp>
#include <weft/subprocess.hpp>
#include <weft/threading.hpp>
#include <weft/timeout.hpp>
#include <weft/trace.hpp>
#include <weft/unraisable.hpp>
#include <weft/version.hpp>

#pragma once

/// Calls that run elsewhere, and their outcomes, after Python's `concurrent.futures`.
#include <weft/concurrent/futures/await.hpp>
#include <weft/concurrent/futures/combine.hpp>
#include <weft/concurrent/futures/errors.hpp>
#include <weft/concurrent/futures/executor.hpp>
#include <weft/concurrent/futures/future.hpp>
#include <weft/concurrent/futures/manual.hpp>
#include <weft/concurrent/futures/map.hpp>
#include <weft/concurrent/futures/task_group.hpp>
#include <weft/concurrent/futures/thread.hpp>
#include <weft/concurrent/futures/wait.hpp>

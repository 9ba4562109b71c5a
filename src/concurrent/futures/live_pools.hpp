#pragma once

namespace weft::concurrent::futures {

class ThreadPool;

/// Has the pool finished at the end of the program. Throws std::runtime_error once that is over.
void enlist(ThreadPool& pool);
void delist(ThreadPool& pool) noexcept;

}  // namespace weft::concurrent::futures

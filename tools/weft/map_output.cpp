#include "map_output.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace map {

namespace {

/// What one output keeps in memory at most.
constexpr std::size_t kMost = std::size_t{1024} * 1024;
constexpr std::size_t kBlock = std::size_t{256} * 1024;

}  // namespace

Spool::Spool(Spool&& other) noexcept
    : store_(other.store_),
      memory_(std::exchange(other.memory_, {})),
      extents_(std::exchange(other.extents_, {})),
      size_(std::exchange(other.size_, 0)) {}

Spool& Spool::operator=(Spool&& other) noexcept {
    std::swap(store_, other.store_);
    std::swap(memory_, other.memory_);
    std::swap(extents_, other.extents_);
    std::swap(size_, other.size_);
    return *this;
}

void Spool::append(std::string_view bytes) {
    if (bytes.empty()) return;
    const bool is_too_much =
        memory_.size() + bytes.size() > kMost || bytes.size() > store_->memory_left_;
    if (is_too_much) {
        store_->memory_left_ += memory_.size();
        spill(std::exchange(memory_, {}));
        spill(bytes);
    } else {
        memory_ += bytes;
        store_->memory_left_ -= bytes.size();
    }
    size_ += bytes.size();
}

/// Appends to the file; with nothing in memory.
void Spool::spill(std::string_view bytes) {
    if (bytes.empty()) return;
    Store& store = *store_;
    if (!store.file_) store.file_ = open_temporary();
    write_at(store.file_.fd(), bytes, store.end_);
    // What follows directly is one extent.
    if (!extents_.empty() && extents_.back().offset + extents_.back().size == store.end_) {
        extents_.back().size += bytes.size();
    } else {
        if (extents_.empty()) ++store.users_;
        extents_.push_back({.offset = store.end_, .size = bytes.size()});
    }
    store.end_ += bytes.size();
}

void Spool::clear() noexcept {
    if (!extents_.empty()) {
        extents_.clear();
        if (--store_->users_ == 0) {
            store_->end_ = 0;
            (void)cut_off(store_->file_.fd(), 0);
        }
    }
    store_->memory_left_ += memory_.size();
    memory_ = {};
    size_ = 0;
}

int Spool::write_to(int fd) const {
    if (!extents_.empty()) {
        const auto block = std::make_unique_for_overwrite<char[]>(kBlock);
        for (Extent extent : extents_) {
            while (extent.size > 0) {
                const auto size = std::min<std::uint64_t>(extent.size, kBlock);
                const std::span<char> piece(block.get(), static_cast<std::size_t>(size));
                read_at(store_->file_.fd(), piece, extent.offset);
                if (const int error = write_all(fd, {piece.data(), piece.size()}); error != 0) {
                    return error;
                }
                extent.offset += size;
                extent.size -= size;
            }
        }
    }
    return write_all(fd, memory_);
}

}  // namespace map

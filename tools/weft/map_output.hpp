#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "map_system.hpp"

namespace map {

/// Where outputs lie that have to wait: in memory as long as all of them together are small, else
/// in one temporary file without a name, which is emptied whenever nobody has anything in it.
class Store {
public:
    explicit Store(std::size_t memory_limit) : memory_left_(memory_limit) {}
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

private:
    friend class Spool;
    std::size_t memory_left_;
    File file_;
    std::uint64_t end_ = 0;
    std::size_t users_ = 0;  ///< how many have something in the file
};

/// The output of one job, in its order.
class Spool {
public:
    explicit Spool(Store& store) noexcept : store_(&store) {}
    Spool(Spool&& other) noexcept;
    Spool& operator=(Spool&& other) noexcept;
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;
    ~Spool() { clear(); }

    /// Throws `std::system_error` when it has to go to the file and cannot.
    void append(std::string_view bytes);
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    void clear() noexcept;
    /// Returns errno of the write, or 0. Throws `std::system_error` for the file.
    [[nodiscard]] int write_to(int fd) const;

private:
    struct Extent {
        std::uint64_t offset;
        std::uint64_t size;
    };
    void spill(std::string_view bytes);

    Store* store_;
    std::string memory_;           ///< comes after what is in the file
    std::vector<Extent> extents_;  ///< in the file
    std::uint64_t size_ = 0;
};

}  // namespace map

#include <weft/detail/node_memory.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace {

using weft::detail::NodeMemory;

template <std::size_t size>
struct Node : NodeMemory {
    explicit Node(unsigned char value) { bytes.fill(value); }
    bool holds(unsigned char value) const {
        for (unsigned char each : bytes) {
            if (each != value) return false;
        }
        return true;
    }
    std::array<unsigned char, size> bytes;
};

/// Fills several pages with nodes of one size, and looks whether any two share a byte.
template <std::size_t size>
void expect_nodes_apart() {
    static_assert(NodeMemory::fits(sizeof(Node<size>), alignof(Node<size>)));
    std::vector<std::unique_ptr<Node<size>>> nodes;
    for (std::size_t i = 0; i < 1000; ++i) {
        nodes.push_back(std::make_unique<Node<size>>(static_cast<unsigned char>(i)));
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(nodes.back().get()) % NodeMemory::kAlignment,
                  0u);
    }
    for (std::size_t i = 0; i < 1000; ++i) {
        ASSERT_TRUE(nodes[i]->holds(static_cast<unsigned char>(i))) << "node " << i;
    }
}

TEST(NodeMemory, NodesOfEverySizeAreAlignedAndApart) {
    expect_nodes_apart<1>();
    expect_nodes_apart<8>();
    expect_nodes_apart<9>();
    expect_nodes_apart<24>();
    expect_nodes_apart<25>();
    expect_nodes_apart<64>();
    expect_nodes_apart<119>();
    expect_nodes_apart<120>();
}

TEST(NodeMemory, DoesNotFitWhatIsTooLargeOrTooAligned) {
    static_assert(NodeMemory::fits(120, 16));
    static_assert(!NodeMemory::fits(121, 8));
    static_assert(!NodeMemory::fits(64, 32));
}

TEST(NodeMemory, DeletingNothingIsAllowed) {
    const Node<8>* none = nullptr;
    delete none;
}

TEST(NodeMemory, NodesOutliveTheThreadThatMadeThem) {
    std::vector<std::unique_ptr<Node<32>>> nodes;
    std::thread([&] {
        for (int i = 0; i < 100; ++i) nodes.push_back(std::make_unique<Node<32>>(7));
    }).join();
    for (const auto& node : nodes) ASSERT_TRUE(node->holds(7));
}

TEST(NodeMemory, OneThreadMakesWhatAnotherDeletes) {
    constexpr int kBatches = 200;
    std::vector<std::vector<std::unique_ptr<Node<40>>>> batches(kBatches);
    std::vector<std::thread> deleting;
    for (int i = 0; i < kBatches; ++i) {
        auto& batch = batches[static_cast<std::size_t>(i)];
        for (int n = 0; n < 50; ++n) {
            batch.push_back(std::make_unique<Node<40>>(static_cast<unsigned char>(i)));
        }
        deleting.emplace_back([&batch, i] {
            for (const auto& node : batch) ASSERT_TRUE(node->holds(static_cast<unsigned char>(i)));
            batch.clear();
        });
    }
    for (std::thread& each : deleting) each.join();
    for (const auto& batch : batches) EXPECT_TRUE(batch.empty());
}

/// Makes and deletes nodes after the thread's own bookkeeping has ended: it was built before that.
struct Late {
    using Pointer = std::unique_ptr<Node<48>>;
    Pointer* target = nullptr;
    Pointer own;
    ~Late() {
        if (target == nullptr) return;
        own.reset();
        for (int i = 0; i < 200; ++i) {
            const auto passing = std::make_unique<Node<48>>(static_cast<unsigned char>(i));
            EXPECT_TRUE(passing->holds(static_cast<unsigned char>(i)));
        }
        *target = std::make_unique<Node<48>>(9);
    }
};

TEST(NodeMemory, DestructorsOfThreadLocalsMayStillMakeAndDeleteNodes) {
    std::unique_ptr<Node<48>> made;
    std::thread([&] {
        thread_local Late late;
        late.target = &made;
        late.own = std::make_unique<Node<48>>(1);
        EXPECT_TRUE(late.own->holds(1));
    }).join();
    ASSERT_NE(made, nullptr);
    EXPECT_TRUE(made->holds(9));
}

}  // namespace

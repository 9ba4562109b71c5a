#include "contextvars/inheritance.hpp"

#include <stop_token>
#include <utility>

#include "contextvars/bindings.hpp"
#include "contextvars/current.hpp"

namespace weft::contextvars::detail {

namespace {

class Inheritance final : public weft::detail::ThreadBody {
public:
    ~Inheritance() override { release(bindings_); }

    void add(const VariableInfo& info, Word value) {
        retain(info, value);
        Share given(info, value);
        const Share nothing = assign(bindings_, info, value);
        given.give_up();
    }
    void add_all() noexcept { bindings_ = share(current.bindings); }
    void run(const std::stop_token& /*stop*/) override {
        begin_thread(std::exchange(bindings_, Bindings{}));
    }

private:
    Bindings bindings_;
};

}  // namespace

constinit weft::detail::Atomic<bool> inherits_context{false};

std::unique_ptr<weft::detail::ThreadBody> pack_inheritance() {
    if (inherits_context.load(std::memory_order_relaxed)) {
        if (current.bindings.root == nullptr) return nullptr;
        auto inheritance = std::make_unique<Inheritance>();
        inheritance->add_all();
        return inheritance;
    }
    if (!has_inheritable_variables()) return nullptr;
    std::unique_ptr<Inheritance> inheritance;
    const auto visit = [&](const VariableInfo& info, Word value) {
        if (!info.is_thread_inheritable) return;
        if (inheritance == nullptr) inheritance = std::make_unique<Inheritance>();
        inheritance->add(info, value);
    };
    for_each(
        current.bindings,
        [](void* context, const VariableInfo& info, const Word& value) {
            (*static_cast<decltype(visit)*>(context))(info, value);
            return true;
        },
        const_cast<void*>(static_cast<const void*>(&visit)));
    return inheritance;
}

}  // namespace weft::contextvars::detail

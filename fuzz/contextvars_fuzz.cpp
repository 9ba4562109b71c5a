// Any bytes taken for a program of setting, resetting, copying and running: contexts do what plain
// maps that are copied do.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <weft/contextvars.hpp>

#include "support/check.hpp"

namespace {

using weft::contextvars::Context;
using weft::contextvars::ContextVar;
using weft::contextvars::copy_context;
using weft::contextvars::Token;

using Variable = ContextVar<std::string>;
constexpr std::size_t kVariables = 600;

/// Made once: what is remembered of a variable is never given back.
std::vector<std::unique_ptr<Variable>>& variables() {
    static std::vector<std::unique_ptr<Variable>> made = [] {
        std::vector<std::unique_ptr<Variable>> all;
        for (std::size_t i = 0; i < kVariables; ++i) {
            all.push_back(std::make_unique<Variable>(std::to_string(i)));
        }
        return all;
    }();
    return made;
}

class Program {
public:
    Program(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

    void run() {
        contexts_.resize(4);
        while (!is_over()) {
            const std::size_t which = byte() % contexts_.size();
            if (byte() % 4 == 0) {
                const std::size_t from = byte() % contexts_.size();
                contexts_[which].real = contexts_[from].real;
                contexts_[which].model = contexts_[from].model;
            } else {
                run_in(which, 0);
            }
            check(contexts_[byte() % contexts_.size()]);
        }
    }

private:
    using Model = std::map<std::size_t, std::string>;
    struct Pair {
        Context real;
        Model model;
        bool is_entered = false;
    };
    struct Undo {
        Token<std::string> token;
        std::size_t variable;
        std::optional<std::string> old;
    };

    [[nodiscard]] bool is_over() const { return at_ >= size_; }
    std::uint8_t byte() { return is_over() ? std::uint8_t{0} : data_[at_++]; }
    std::size_t variable() { return (byte() * std::size_t{256} + byte()) % kVariables; }

    void run_in(std::size_t which, int depth) {
        Pair& pair = contexts_[which];
        if (pair.is_entered) {
            bool was_refused = false;
            try {
                pair.real.run([] {});
            } catch (const std::runtime_error&) {
                was_refused = true;
            }
            WEFT_FUZZ_CHECK(was_refused);
            return;
        }
        pair.is_entered = true;
        pair.real.run([&] {
            std::vector<Undo> undo;
            for (std::uint8_t steps = byte() % 32; steps != 0 && !is_over(); --steps) {
                step(pair, undo, depth);
            }
        });
        pair.is_entered = false;
    }
    void step(Pair& pair, std::vector<Undo>& undo, int depth) {
        switch (byte() % 8) {
            case 0:
            case 1:
            case 2: {
                const std::size_t which = variable();
                const std::string value(byte() % 20, 'v');
                const auto known = pair.model.find(which);
                const auto old =
                    known != pair.model.end() ? std::optional(known->second) : std::nullopt;
                undo.push_back({variables()[which]->set(value), which, old});
                const auto token_old = undo.back().token.old_value();
                WEFT_FUZZ_CHECK(token_old.has_value() == old.has_value());
                if (old) WEFT_FUZZ_CHECK(token_old == *old);
                pair.model[which] = value;
                break;
            }
            case 3: {
                if (undo.empty()) break;
                const std::size_t at = byte() % undo.size();
                Undo& chosen = undo[at];
                variables()[chosen.variable]->reset(chosen.token);
                chosen.old ? void(pair.model[chosen.variable] = *chosen.old)
                           : void(pair.model.erase(chosen.variable));
                std::swap(chosen, undo.back());
                undo.pop_back();
                break;
            }
            case 4:
                if (depth < 6) run_in(byte() % contexts_.size(), depth + 1);
                break;
            case 5: {
                const std::size_t to = byte() % contexts_.size();
                if (contexts_[to].is_entered) break;
                contexts_[to].real = copy_context();
                contexts_[to].model = pair.model;
                break;
            }
            default: {
                const std::size_t which = variable();
                const auto known = pair.model.find(which);
                const std::string expected = known != pair.model.end() ? known->second : "none";
                WEFT_FUZZ_CHECK(variables()[which]->get("none") == expected);
                if (known != pair.model.end())
                    WEFT_FUZZ_CHECK(variables()[which]->get() == expected);
                break;
            }
        }
    }
    static void check(const Pair& pair) {
        WEFT_FUZZ_CHECK(pair.real.size() == pair.model.size());
        auto expected = pair.model.begin();
        for (const auto& [variable, value] : pair.real.items()) {
            WEFT_FUZZ_CHECK(variable == *variables()[expected->first]);
            WEFT_FUZZ_CHECK(value.get<std::string>() == expected->second);
            ++expected;
        }
    }

    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t at_ = 0;
    std::vector<Pair> contexts_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kLongest = 8192;
    Program(data, size < kLongest ? size : kLongest).run();
    return 0;
}

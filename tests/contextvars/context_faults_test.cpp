// Every allocation of setting, resetting and copying fails once.

#include <weft/contextvars.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/faults.hpp"

namespace {

using weft::contextvars::Context;
using weft::contextvars::ContextVar;
using weft::contextvars::copy_context;
using weft::contextvars::Token;
namespace faults = weft::test::faults;

using Variables = std::vector<std::unique_ptr<ContextVar<std::string>>>;

Variables make_variables(int count) {
    Variables variables;
    for (int i = 0; i < count; ++i) {
        variables.push_back(std::make_unique<ContextVar<std::string>>(std::to_string(i)));
    }
    return variables;
}

TEST(ContextWithoutMemory, ASetChangesTheValueOrNothing) {
    const Variables variables = make_variables(300);
    for (const std::size_t which : {std::size_t{0}, std::size_t{17}, std::size_t{299}}) {
        for (const bool is_set_before : {false, true}) {
            Context base;
            base.run([&] {
                variables[1]->set("one");
                if (is_set_before) variables[which]->set("before");
            });
            Context context;
            const std::string value(100, 'x');
            EXPECT_GE(
                faults::for_every_allocation(
                    [&] {
                        {
                            const faults::Pause preparing;
                            context = base;
                        }
                        // Nothing here is the context's alone, so the way to the value is copied.
                        context.run([&] { variables[which]->set(value); });
                    },
                    {.invariant =
                         [&] {
                             const auto found = context.get(*variables[which]);
                             const bool is_new = found == value;
                             EXPECT_EQ(base.get(*variables[which]).has_value(), is_set_before);
                             EXPECT_TRUE(is_new || found == base.get(*variables[which]));
                             EXPECT_EQ(context.size(), base.size() + (is_new && !is_set_before));
                             EXPECT_EQ(context[*variables[1]],
                                       which == 1 && is_new ? value : "one");
                         }}),
                3u);
        }
    }
}

TEST(ContextWithoutMemory, AResetThatFailsCanBeRepeated) {
    const Variables variables = make_variables(40);
    Context context;
    std::optional<Token<std::string>> token;
    std::optional<Context> copy;
    bool was_reset = false;
    EXPECT_GE(faults::for_every_allocation(
                  [&] {
                      {
                          const faults::Pause preparing;
                          copy.reset();
                          context = Context();
                          context.run([&] {
                              for (const auto& each : variables) each->set("other");
                              token.emplace(variables[39]->set("new"));
                          });
                          copy = context;
                          was_reset = false;
                      }
                      context.run([&] { variables[39]->reset(*token); });
                      was_reset = true;
                  },
                  {.invariant =
                       [&] {
                           EXPECT_EQ(context[*variables[39]], was_reset ? "other" : "new");
                           EXPECT_EQ((*copy)[*variables[39]], "new");
                           if (!was_reset) context.run([&] { variables[39]->reset(*token); });
                           EXPECT_EQ(context[*variables[39]], "other");
                       }}),
              2u);
}

TEST(ContextWithoutMemory, RemovingThatFailsCanBeRepeated) {
    const Variables variables = make_variables(300);
    Context context;
    std::optional<Token<std::string>> token;
    std::optional<Context> copy;
    bool was_reset = false;
    EXPECT_GE(faults::for_every_allocation(
                  [&] {
                      {
                          const faults::Pause preparing;
                          copy.reset();
                          context = Context();
                          context.run([&] {
                              for (int i = 0; i < 299; ++i) {
                                  variables[static_cast<std::size_t>(i)]->set("other");
                              }
                              token.emplace(variables[299]->set("new"));
                          });
                          copy = context;
                          was_reset = false;
                      }
                      context.run([&] { variables[299]->reset(*token); });
                      was_reset = true;
                  },
                  {.invariant =
                       [&] {
                           EXPECT_EQ(context.size(), was_reset ? 299u : 300u);
                           EXPECT_EQ(copy->size(), 300u);
                           if (!was_reset) context.run([&] { variables[299]->reset(*token); });
                           EXPECT_FALSE(context.contains(*variables[299]));
                       }}),
              2u);
}

TEST(ContextWithoutMemory, CopyingRunningAndReadingNeedNone) {
    ContextVar<std::string> word("word");
    Context context;
    context.run([&] { word.set("set"); });
    EXPECT_EQ(faults::for_every_allocation([&] {
                  Context copy = context;
                  copy.run([&] {
                      EXPECT_EQ(word.get(), "set");
                      EXPECT_EQ(copy_context().size(), 1u);
                  });
                  EXPECT_TRUE(copy == context);
              }),
              0u);
}

}  // namespace

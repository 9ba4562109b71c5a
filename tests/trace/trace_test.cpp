#include <weft/trace.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/dummy_threading.hpp>
#include <weft/threading.hpp>
#include <weft/unraisable.hpp>

#include "trace/traced_functions.hpp"

namespace {

using namespace weft;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using threading::Frame;
using threading::TraceEvent;
using threading::TraceFunction;

/// Notes what it is told, from any threads. Copies note in the same place.
class Notes {
public:
    void operator()(const Frame& frame, TraceEvent event) const {
        const threading::Guard held(shared_->lock);
        shared_->lines.push_back((event == TraceEvent::call ? "call " : "return ") +
                                 std::string(frame.name()));
        shared_->frames.push_back(frame);
    }
    std::vector<std::string> lines() const {
        const threading::Guard held(shared_->lock);
        return shared_->lines;
    }
    std::vector<Frame> frames() const {
        const threading::Guard held(shared_->lock);
        return shared_->frames;
    }

private:
    struct Shared {
        threading::Lock lock;
        std::vector<std::string> lines;
        std::vector<Frame> frames;
    };
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

const std::vector<std::string> kLeaf{"call traced::leaf(int)", "return traced::leaf(int)"};

void run_in_thread(std::function<void()> function) {
    const threading::Joining thread{threading::Thread(std::move(function))};
}

/// A thread that calls what it is told to, so that it runs before and after a hook is set.
class Worker {
public:
    Worker() {
        thread_.start();
        ready_.wait();
    }
    ~Worker() { finish(); }
    void call_leaf() {
        go_.set();
        done_.wait();
        done_.clear();
    }
    void finish() {
        if (std::exchange(is_finished_, true)) return;
        stops_ = true;
        go_.set();
        thread_.join();
    }

private:
    threading::Event ready_;
    threading::Event go_;
    threading::Event done_;
    std::atomic<bool> stops_ = false;
    bool is_finished_ = false;
    threading::Thread thread_{[this] {
        ready_.set();
        for (;;) {
            go_.wait();
            go_.clear();
            if (stops_) return;
            traced::leaf(1);
            done_.set();
        }
    }};
};

class Tracing : public testing::Test {
protected:
    void TearDown() override {
        threading::settrace_all_threads({});
        threading::setprofile_all_threads({});
        trace::settrace({});
        trace::setprofile({});
    }
    Notes notes;
};

using Settrace = Tracing;
using SettraceAllThreads = Tracing;
using Setprofile = Tracing;
using SetprofileAllThreads = Tracing;
using TraceHook = Tracing;
using ThisThreadsTrace = Tracing;
using TraceFrame = Tracing;

TEST_F(Settrace, ReachesThreadsStartedLaterAndNoOthers) {
    Worker before;
    threading::settrace(notes);
    traced::leaf(1);
    before.call_leaf();
    EXPECT_THAT(notes.lines(), IsEmpty());
    run_in_thread([] { traced::outer(1); });
    EXPECT_THAT(notes.lines(),
                ElementsAre("call traced::outer(int)", "call traced::leaf(int)",
                            "return traced::leaf(int)", "call traced::leaf(int)",
                            "return traced::leaf(int)", "return traced::outer(int)"));
}

TEST_F(Settrace, EndsForThreadsStartedAfterItsEnd) {
    threading::settrace(notes);
    Worker between;
    threading::settrace({});
    run_in_thread([] { traced::leaf(1); });
    EXPECT_THAT(notes.lines(), IsEmpty());
    between.call_leaf();
    EXPECT_EQ(notes.lines(), kLeaf);
}

TEST_F(Settrace, IsToldByGettrace) {
    EXPECT_FALSE(threading::gettrace());
    int calls = 0;
    threading::settrace([&calls](const Frame&, TraceEvent) { ++calls; });
    const TraceFunction hook = threading::gettrace();
    ASSERT_TRUE(hook);
    trace::settrace(hook);
    traced::leaf(1);
    EXPECT_EQ(calls, 2);
    EXPECT_FALSE(threading::getprofile());
    threading::settrace({});
    EXPECT_FALSE(threading::gettrace());
}

TEST_F(SettraceAllThreads, ReachesThreadsThatRun) {
    Worker running;
    running.call_leaf();
    threading::settrace_all_threads(notes);
    EXPECT_TRUE(threading::gettrace());
    running.call_leaf();
    EXPECT_EQ(notes.lines(), kLeaf);
    traced::leaf(1);
    EXPECT_EQ(notes.lines().size(), 4u);
    std::thread([] { traced::leaf(1); }).join();
    EXPECT_EQ(notes.lines().size(), 6u);
    run_in_thread([] { traced::leaf(1); });
    EXPECT_EQ(notes.lines().size(), 8u);
}

TEST_F(SettraceAllThreads, EndsItForAll) {
    threading::settrace_all_threads(notes);
    Worker running;
    running.call_leaf();
    threading::settrace_all_threads({});
    EXPECT_FALSE(threading::gettrace());
    running.call_leaf();
    traced::leaf(1);
    EXPECT_EQ(notes.lines(), kLeaf);
}

TEST_F(SettraceAllThreads, TakesTheLastOfSeveral) {
    Worker running;
    const Notes last;
    threading::settrace_all_threads(notes);
    threading::settrace_all_threads(last);
    running.call_leaf();
    EXPECT_THAT(notes.lines(), IsEmpty());
    EXPECT_EQ(last.lines(), kLeaf);
}

TEST_F(Setprofile, ReachesThreadsStartedLaterAndNoOthers) {
    threading::setprofile(notes);
    traced::leaf(1);
    EXPECT_THAT(notes.lines(), IsEmpty());
    run_in_thread([] { traced::leaf(1); });
    EXPECT_EQ(notes.lines(), kLeaf);
}

TEST_F(Setprofile, IsToldByGetprofile) {
    EXPECT_FALSE(threading::getprofile());
    threading::setprofile(notes);
    trace::setprofile(threading::getprofile());
    traced::leaf(1);
    EXPECT_EQ(notes.lines(), kLeaf);
    EXPECT_FALSE(threading::gettrace());
    threading::setprofile({});
    EXPECT_FALSE(threading::getprofile());
}

TEST_F(SetprofileAllThreads, ReachesThreadsThatRun) {
    Worker running;
    threading::setprofile_all_threads(notes);
    EXPECT_TRUE(threading::getprofile());
    running.call_leaf();
    EXPECT_EQ(notes.lines(), kLeaf);
    threading::setprofile_all_threads({});
    running.call_leaf();
    EXPECT_EQ(notes.lines(), kLeaf);
}

TEST_F(Setprofile, IsToldAfterTheTraceFunction) {
    std::vector<std::string> order;
    threading::settrace([&order](const Frame&, TraceEvent) { order.emplace_back("trace"); });
    threading::setprofile([&order](const Frame&, TraceEvent) { order.emplace_back("profile"); });
    run_in_thread([] { traced::leaf(1); });
    EXPECT_THAT(order, ElementsAre("trace", "profile", "trace", "profile"));
}

TEST_F(TraceHook, IsNotToldOfWhatItCallsItself) {
    int calls = 0;
    threading::settrace([&calls](const Frame&, TraceEvent) { calls += traced::outer(1) != 0; });
    run_in_thread([] { traced::leaf(1); });
    EXPECT_EQ(calls, 2);
}

TEST_F(TraceHook, ThatThrowsIsTakenFromItsThreadAndReported) {
    std::vector<std::string> reports;
    const auto old = unraisablehook;
    unraisablehook = [&reports](const UnraisableHookArgs& args) {
        reports.push_back(args.what() + " / " + args.object);
    };
    int calls = 0;
    threading::settrace([&calls](const Frame&, TraceEvent) {
        ++calls;
        throw std::domain_error("bad hook");
    });
    run_in_thread([] { traced::outer(1); });
    EXPECT_EQ(calls, 1);
    run_in_thread([] { traced::leaf(1); });
    unraisablehook = old;
    EXPECT_EQ(calls, 2);
    EXPECT_THAT(reports, ElementsAre("std::domain_error: bad hook / traced::outer(int)",
                                     "std::domain_error: bad hook / traced::leaf(int)"));
}

TEST_F(TraceHook, LivesUntilItsLastThreadHasLetGoOfIt) {
    auto resource = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = resource;
    threading::settrace([resource](const Frame&, TraceEvent) { ++*resource; });
    resource.reset();
    auto worker = std::make_unique<Worker>();
    worker->call_leaf();
    threading::settrace({});
    EXPECT_FALSE(watch.expired());
    worker->call_leaf();
    EXPECT_EQ(*watch.lock(), 4);
    worker->finish();
    EXPECT_TRUE(watch.expired());
}

TEST_F(TraceHook, RunsToItsEndWhenItIsReplacedMeanwhile) {
    threading::Event is_inside;
    threading::Event may_go_on;
    auto resource = std::make_shared<std::string>("whole");
    std::string seen;
    threading::settrace([&, resource](const Frame&, TraceEvent event) {
        if (event != TraceEvent::call) return;
        is_inside.set();
        may_go_on.wait();
        seen = *resource;
    });
    resource.reset();
    const threading::Joining thread(threading::Thread([] { traced::leaf(1); }));
    is_inside.wait();
    threading::settrace_all_threads({});
    may_go_on.set();
    thread->join();
    EXPECT_EQ(seen, "whole");
}

TEST_F(TraceHook, MayReplaceItself) {
    const Notes next;
    threading::settrace([next](const Frame&, TraceEvent) { trace::settrace(next); });
    run_in_thread([] { traced::leaf(1); });
    EXPECT_THAT(next.lines(), ElementsAre("return traced::leaf(int)"));
}

TEST_F(TraceHook, LivesUntilItReturnsWhenItReplacesItself) {
    const std::string text(40, 'x');
    std::string seen;
    std::weak_ptr<const std::string> watch;
    {
        auto resource = std::make_shared<const std::string>(text);
        watch = resource;
        trace::settrace([&seen, resource](const Frame&, TraceEvent) {
            trace::settrace([](const Frame&, TraceEvent) {});
            trace::settrace({});
            seen = *resource;
        });
    }
    traced::leaf(1);
    EXPECT_EQ(seen, text);
    EXPECT_TRUE(watch.expired());
}

TEST_F(TraceHook, IsToldOfAFunctionThatAnExceptionLeaves) {
    threading::settrace(notes);
    run_in_thread([] { EXPECT_THROW(traced::throw_one(), std::domain_error); });
#ifdef __clang__
    EXPECT_THAT(notes.lines(), ElementsAre("call traced::throw_one()"));
#else
    EXPECT_THAT(notes.lines(),
                ElementsAre("call traced::throw_one()", "return traced::throw_one()"));
#endif
}

TEST_F(ThisThreadsTrace, IsItsOwn) {
    const Notes profile;
    trace::settrace(notes);
    trace::setprofile(profile);
    EXPECT_TRUE(trace::gettrace());
    EXPECT_TRUE(trace::getprofile());
    traced::leaf(1);
    run_in_thread([] { traced::leaf(1); });
    EXPECT_EQ(notes.lines(), kLeaf);
    EXPECT_EQ(profile.lines(), kLeaf);
    trace::settrace({});
    trace::setprofile({});
    traced::leaf(1);
    EXPECT_EQ(notes.lines(), kLeaf);
    EXPECT_EQ(profile.lines(), kLeaf);
    EXPECT_FALSE(trace::gettrace());
    EXPECT_FALSE(trace::getprofile());
}

TEST_F(ThisThreadsTrace, IsReplacedByALaterSettingForAllThreads) {
    threading::settrace_all_threads([](const Frame&, TraceEvent) { FAIL(); });
    const Notes own;
    trace::settrace(own);
    traced::leaf(1);
    EXPECT_EQ(own.lines(), kLeaf);
    threading::settrace_all_threads(notes);
    traced::leaf(1);
    EXPECT_EQ(own.lines(), kLeaf);
    EXPECT_EQ(notes.lines(), kLeaf);
}

TEST_F(ThisThreadsTrace, IsWhatSettraceGaveTheThread) {
    threading::settrace(notes);
    bool has_one = false;
    run_in_thread([&has_one] { has_one = static_cast<bool>(trace::gettrace()); });
    EXPECT_TRUE(has_one);
    EXPECT_FALSE(trace::gettrace());
}

TEST_F(TraceFrame, KnowsFunctionFileLineAndThread) {
    std::optional<std::uint64_t> ident;
    threading::settrace(notes);
    run_in_thread([&ident] {
        ident = threading::get_ident();
        traced::leaf(1);
    });
    const Frame frame = notes.frames().at(0);
    EXPECT_EQ(frame.name(), "traced::leaf(int)");
    EXPECT_THAT(std::string(frame.filename()), EndsWith("tests/trace/traced_functions.cpp"));
    EXPECT_EQ(frame.lineno(), traced::leaf_line);
    EXPECT_EQ(frame.thread_ident(), ident);
    EXPECT_EQ(frame.function(), reinterpret_cast<const void*>(&traced::leaf));
    EXPECT_NE(frame.call_site(), nullptr);
    EXPECT_EQ(notes.frames().at(1).function(), frame.function());
}

TEST_F(TraceFrame, KnowsFunctionsThatNoOtherUnitSees) {
    trace::settrace(notes);
    traced::with_hidden(1);
    trace::settrace({});
    EXPECT_THAT(notes.lines(), ElementsAre("call traced::with_hidden(int)",
                                           "call traced::(anonymous namespace)::hidden(int)",
                                           "return traced::(anonymous namespace)::hidden(int)",
                                           "return traced::with_hidden(int)"));
    EXPECT_EQ(notes.frames().at(1).lineno(), traced::hidden_line);
}

TEST_F(TraceFrame, KnowsMembersAndFunctionsOfC) {
    trace::settrace(notes);
    const traced::Shape shape;
    const traced::Shape& base = shape;
    traced_c_function(base.corners());
    trace::settrace({});
    EXPECT_THAT(notes.lines(), testing::IsSupersetOf({"call traced::Shape::corners() const",
                                                      "call traced_c_function"}));
}

TEST_F(TraceFrame, MayBeAskedByManyThreadsAtOnce) {
    trace::settrace(notes);
    traced::with_hidden(traced::outer(1));
    trace::settrace({});
    const std::vector<Frame> frames = notes.frames();
    std::vector<threading::Joining> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back(threading::Thread([&frames] {
            for (const Frame& frame : frames) {
                EXPECT_THAT(std::string(frame.name()), testing::StartsWith("traced::"));
                EXPECT_GT(frame.lineno(), 0);
            }
        }));
    }
}

TEST(DummyThreadingTrace, ReachesWhatDummyThreadsRun) {
    const Notes notes;
    const Notes profile;
    dummy_threading::settrace(notes);
    dummy_threading::setprofile(profile);
    traced::leaf(1);
    EXPECT_THAT(notes.lines(), IsEmpty());
    dummy_threading::Thread([] { traced::leaf(1); }).start();
    EXPECT_EQ(notes.lines(), kLeaf);
    EXPECT_EQ(profile.lines(), kLeaf);
    EXPECT_FALSE(threading::gettrace());
    traced::leaf(1);
    EXPECT_EQ(notes.lines(), kLeaf);
    dummy_threading::settrace({});
    dummy_threading::setprofile({});
    dummy_threading::Thread([] { traced::leaf(1); }).start();
    EXPECT_EQ(notes.lines(), kLeaf);
}

}  // namespace

// Exceptions that travel: as themselves, with their causes, and with what is known of their origin.

#include <weft/pickle.hpp>

#include <cerrno>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>

#include <gtest/gtest.h>

namespace pickle = weft::pickle;

namespace bank {

struct NoFunds : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Overdrawn : std::exception {
    std::string account;
    int by = 0;
};
template <class Archive>
void serialize(Archive& archive, Overdrawn& o) {
    archive(o.account, o.by);
}

struct Unregistered : std::logic_error {
    using std::logic_error::logic_error;
};

}  // namespace bank

namespace {

template <class E>
std::exception_ptr sent(const E& exception, int protocol = 4) {
    const std::exception_ptr original = std::make_exception_ptr(exception);
    return pickle::loads<std::exception_ptr>(pickle::dumps(original, {.protocol = protocol}));
}

template <class E>
void expect_itself(const E& exception) {
    for (int protocol = 2; protocol <= 5; ++protocol) {
        try {
            std::rethrow_exception(sent(exception, protocol));
        } catch (const E& copy) {
            EXPECT_STREQ(copy.what(), exception.what());
        } catch (const std::exception& other) {
            FAIL() << other.what();
        }
    }
}

std::string text_of(const std::exception_ptr& exception) {
    return pickle::loads(pickle::dumps(exception)).args().repr();
}

TEST(PickleExceptions, TheStandardOnesArriveAsThemselves) {
    expect_itself(std::invalid_argument("bad"));
    expect_itself(std::out_of_range("index 5"));
    expect_itself(std::overflow_error("big"));
    expect_itself(std::runtime_error("h\xc3\xa9 \xff"));
    expect_itself(std::logic_error("never"));
    expect_itself(std::bad_alloc());
    expect_itself(weft::KeyError("k"));
    expect_itself(weft::TypeError("t"));
    expect_itself(weft::EOFError("e"));
    expect_itself(weft::NotImplementedError("n"));
    expect_itself(weft::TimeoutError("late"));
    expect_itself(weft::Exception("e"));
    expect_itself(std::system_error(ENOENT, std::generic_category(), "open"));
    expect_itself(std::system_error(EACCES, std::generic_category()));
}

TEST(PickleExceptions, TheirNamesInPythonAreKnown) {
    const auto name = [](auto exception) {
        return pickle::loads(pickle::dumps(std::make_exception_ptr(exception))).type_name();
    };
    EXPECT_EQ(name(std::invalid_argument("")), "builtins.ValueError");
    EXPECT_EQ(name(weft::KeyError("")), "builtins.KeyError");
    EXPECT_EQ(name(bank::Unregistered("")), "multiprocessing.managers.RemoteError");
    EXPECT_EQ(text_of(std::make_exception_ptr(
                  std::system_error(ENOENT, std::generic_category(), "open"))),
              "(2, 'open: No such file or directory')");
}

TEST(PickleExceptions, AnErrorOfTheSystemKeepsItsCode) {
    try {
        std::rethrow_exception(sent(std::system_error(ENOENT, std::generic_category(), "open")));
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    }
    // What Python sends for a file that is not there.
    const auto python =
        pickle::Value::object(pickle::Value::global("builtins", "FileNotFoundError"),
                              pickle::Value::tuple({2, "No such file", "x.txt"}));
    try {
        std::rethrow_exception(pickle::loads<std::exception_ptr>(pickle::dumps(python)));
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
        EXPECT_NE(std::string(error.what()).find("No such file"), std::string::npos);
    }
}

TEST(PickleExceptions, SystemExitKeepsItsCode) {
    for (const weft::SystemExit::Code& code :
         {weft::SystemExit::Code(), weft::SystemExit::Code(3), weft::SystemExit::Code("bye")}) {
        try {
            std::rethrow_exception(sent(weft::SystemExit(code)));
        } catch (const weft::SystemExit& exit) {
            EXPECT_EQ(exit.code(), code);
        }
    }
}

TEST(PickleExceptions, RegisteredOnesArriveAsThemselvesAndSayWhereTheyAreFrom) {
    pickle::register_exception<bank::NoFunds>("bank.NoFunds");
    expect_itself(bank::NoFunds("empty"));
    const auto remote = pickle::remote_of(sent(bank::NoFunds("empty")));
    ASSERT_TRUE(remote.has_value());
    EXPECT_EQ(remote->type(), "bank::NoFunds");
    EXPECT_EQ(remote->message(), "empty");
    EXPECT_EQ(remote->trace(), "bank::NoFunds: empty");
    EXPECT_STREQ(remote->what(), "bank::NoFunds: empty");
    EXPECT_FALSE(pickle::remote_of(std::make_exception_ptr(bank::NoFunds("x"))).has_value());
    EXPECT_FALSE(pickle::remote_of(nullptr).has_value());
}

TEST(PickleExceptions, FieldsOfOnesOwnTravel) {
    pickle::register_exception<bank::Overdrawn>("bank.Overdrawn");
    bank::Overdrawn overdrawn;
    overdrawn.account = "A5";
    overdrawn.by = 70;
    try {
        std::rethrow_exception(sent(overdrawn));
    } catch (const bank::Overdrawn& copy) {
        EXPECT_EQ(copy.account, "A5");
        EXPECT_EQ(copy.by, 70);
    }
    EXPECT_EQ(text_of(std::make_exception_ptr(overdrawn)), "('A5', 70)");
    const auto wrong = pickle::Value::object(pickle::Value::global("bank", "Overdrawn"),
                                             pickle::Value::tuple({1}));
    EXPECT_THROW(pickle::loads<std::exception_ptr>(pickle::dumps(wrong)), pickle::UnpicklingError);
}

TEST(PickleExceptions, OthersArriveAsRemoteErrorThroughSeveralHands) {
    std::exception_ptr exception = std::make_exception_ptr(bank::Unregistered("odd"));
    for (int hop = 0; hop < 3; ++hop) {
        exception = pickle::loads<std::exception_ptr>(pickle::dumps(exception));
        try {
            std::rethrow_exception(exception);
        } catch (const pickle::RemoteError& error) {
            EXPECT_EQ(error.type(), "bank::Unregistered");
            EXPECT_EQ(error.message(), "odd");
        }
    }
    const auto number = pickle::remote_of(sent(5));
    ASSERT_TRUE(number.has_value());
    EXPECT_EQ(number->type(), "int");
}

TEST(PickleExceptions, CausesComeAlong) {
    pickle::register_exception<bank::NoFunds>("bank.NoFunds");
    std::exception_ptr original;
    try {
        try {
            try {
                throw std::invalid_argument("inner");
            } catch (...) {
                std::throw_with_nested(bank::Unregistered("middle"));
            }
        } catch (...) {
            std::throw_with_nested(bank::NoFunds("outer"));
        }
    } catch (...) {
        original = std::current_exception();
    }
    const weft::bytes wire = pickle::dumps(original);
    const pickle::Value value = pickle::loads(wire);
    EXPECT_EQ(value.at("__cause__").at("__cause__").type_name(), "builtins.ValueError");

    std::exception_ptr copy = pickle::loads<std::exception_ptr>(wire);
    copy = pickle::loads<std::exception_ptr>(pickle::dumps(copy));
    std::string met;
    const auto walk = [&met](const std::exception_ptr& each, const auto& self) -> void {
        try {
            std::rethrow_exception(each);
        } catch (const std::exception& e) {
            met += std::string(e.what()) + "|";
            try {
                std::rethrow_if_nested(e);
            } catch (...) {
                self(std::current_exception(), self);
            }
        }
    };
    walk(copy, walk);
    EXPECT_EQ(met,
              "outer|bank::NoFunds: outer|bank::Unregistered: middle|inner|"
              "std::invalid_argument: inner|");
    EXPECT_THROW(std::rethrow_exception(copy), bank::NoFunds);
}

TEST(PickleExceptions, PythonsPoolsSendTheirTraceback) {
    const auto inner = pickle::Value::object(pickle::Value::global("builtins", "ValueError"),
                                             pickle::Value::tuple({"bad"}));
    const auto sent = pickle::Value::object(
        pickle::Value::global("concurrent.futures.process", "_rebuild_exc"),
        pickle::Value::tuple({inner, "\n\"\"\"\nTraceback (most recent call last):\n\"\"\""}));
    const auto copy = pickle::loads<std::exception_ptr>(pickle::dumps(sent));
    EXPECT_THROW(std::rethrow_exception(copy), std::invalid_argument);
    const auto remote = pickle::remote_of(copy);
    ASSERT_TRUE(remote.has_value());
    EXPECT_EQ(remote->type(), "builtins.ValueError");
    EXPECT_NE(remote->trace().find("Traceback"), std::string::npos);
}

TEST(PickleExceptions, NoneAndOtherThings) {
    EXPECT_EQ(pickle::loads<std::exception_ptr>(pickle::dumps(std::exception_ptr())), nullptr);
    EXPECT_THROW(pickle::loads<std::exception_ptr>(pickle::dumps(5)), pickle::UnpicklingError);
    // A class that is no exception is one we do not know.
    const auto odd = pickle::Value::object(pickle::Value::global("os", "system"),
                                           pickle::Value::tuple({"true"}));
    EXPECT_THROW(std::rethrow_exception(pickle::loads<std::exception_ptr>(pickle::dumps(odd))),
                 pickle::RemoteError);
}

TEST(PickleExceptions, ANameBelongsToOneType) {
    pickle::register_exception<bank::NoFunds>("bank.NoFunds");
    EXPECT_NO_THROW(pickle::register_exception<bank::NoFunds>("bank.NoFunds"));
    EXPECT_THROW(pickle::register_exception<bank::NoFunds>("bank.Other"), std::invalid_argument);
    EXPECT_THROW(pickle::register_exception<bank::Overdrawn>("bank.NoFunds"),
                 std::invalid_argument);
    EXPECT_THROW(pickle::register_exception<bank::Overdrawn>("Nowhere"), std::invalid_argument);
    EXPECT_THROW(pickle::register_exception<bank::Unregistered>("builtins.ValueError"),
                 std::invalid_argument);
}

}  // namespace

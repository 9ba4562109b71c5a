// What is no pickle, or a hostile one: refused with the place, in little time and memory.

#include <weft/pickle.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace {

namespace pickle = weft::pickle;
using pickle::UnpicklingError;
using namespace std::string_literals;

struct Refusal {
    std::string message;
    std::size_t offset = 0;
    int opcode = 0;
};

Refusal refusal_of(std::string_view wire, const pickle::LoadOptions& options = {}) {
    try {
        const pickle::Value value = pickle::loads(wire, options);
        return {"accepted as " + value.repr(100)};
    } catch (const UnpicklingError& error) {
        return {error.what(), error.offset(), error.opcode()};
    }
}

void expect_refusal(std::string_view wire, std::string_view message, std::size_t offset) {
    const Refusal refusal = refusal_of(wire);
    EXPECT_NE(refusal.message.find(message), std::string::npos) << refusal.message;
    EXPECT_EQ(refusal.offset, offset) << refusal.message;
    const int opcode = offset < wire.size() ? static_cast<unsigned char>(wire[offset]) : -1;
    EXPECT_EQ(refusal.opcode, opcode) << refusal.message;
}

struct Leaf {
    int id = 0;
    std::string name;
};
struct Sample {
    std::vector<Leaf> leaves;
    std::map<std::string, std::vector<double>> table;
    std::optional<std::string> maybe;
    std::variant<int, std::string, std::vector<std::string>> either;
    weft::bytes raw;
};

/// Lists in lists.
struct Nest : std::vector<Nest> {};

weft::bytes sample() {
    return pickle::dumps(Sample{{{1, "a"}, {70000, "b\xff"}},
                                {{"k", {1.5, 2.5}}, {"l", {}}},
                                "text",
                                std::vector<std::string>{"x", "y"},
                                weft::bytes(300, std::byte{7})});
}

TEST(PickleRefusal, EveryPrefixIsRefused) {
    const weft::bytes wire = sample();
    for (std::size_t size = 0; size < wire.size(); ++size) {
        const std::span prefix(wire.data(), size);
        ASSERT_THROW(pickle::loads(prefix), UnpicklingError) << size;
        ASSERT_THROW(pickle::loads<Sample>(prefix), UnpicklingError) << size;
    }
    EXPECT_NO_THROW(pickle::loads<Sample>(wire));
}

TEST(PickleRefusal, EveryFlippedByteIsReadOrRefused) {
    const weft::bytes wire = sample();
    int refused = 0;
    for (std::size_t place = 0; place < wire.size(); ++place) {
        for (const unsigned flip : {0x01U, 0x02U, 0x10U, 0x80U, 0xffU, 0x5aU}) {
            weft::bytes bent = wire;
            bent[place] ^= static_cast<std::byte>(flip);
            try {
                const pickle::Value any = pickle::loads(bent);
                static_cast<void>(any.repr(1000));
                static_cast<void>(pickle::dumps(any));
            } catch (const pickle::PickleError&) {
                ++refused;
            }
            try {
                pickle::loads<Sample>(bent);
            } catch (const UnpicklingError&) {
                ++refused;
            }
        }
    }
    EXPECT_GT(refused, 100);
}

TEST(PickleRefusal, SaysWhatIsWrongAndWhere) {
    expect_refusal("", "no bytes at all", 0);
    expect_refusal("\x80\x04", "ends without STOP (at byte 2)", 2);
    expect_refusal("\x80\x06N.", "protocol 6: 0 to 5 are read (PROTO at byte 0)", 0);
    expect_refusal("\x80\x04\x01.", "no such opcode, or one that Weft refuses (0x01 at byte 2)", 2);
    expect_refusal("\x80\x04X\xff\x00\x00\x00xyz."s,
                   "255 bytes announced, 4 left (BINUNICODE at byte 2)", 2);
    expect_refusal("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffxyz."s, "bytes announced, 4 left",
                   2);
    expect_refusal("\x80\x04\x8b\xff\xff\xff\xff."s, "an integer of -1 bytes", 2);
    expect_refusal("\x80\x04\x95\xff\xff\x00\x00\x00\x00\x00\x00N."s,
                   "a frame of 65535 bytes, with 2 left", 2);
    expect_refusal("\x80\x04\x8c\x02\xc3\x28.",
                   "a str that is no UTF-8 (SHORT_BINUNICODE at byte 2)", 2);
    expect_refusal("\x80\x04h\x05.", "nothing was put into the memo under 5", 2);
    expect_refusal("\x80\x04.", "nothing is on the stack", 2);
    expect_refusal("\x80\x04t.", "no mark on the stack", 2);
    expect_refusal("\x80\x04N(.", "a mark where a value is needed", 4);
    expect_refusal(
        "\x80\x04K\x01K\x02"
        "a.",
        "what is appended to is no list", 6);
    expect_refusal("\x80\x04N(K\x01u.", "a key without its value", 6);
    expect_refusal("\x80\x04}(]K\x01u.", "a key that has no hash", 7);
    expect_refusal("\x80\x04\x8f(]\x90.", "a member of a set that has no hash", 5);
    expect_refusal("\x80\x04NN\x93.", "a name that is no str", 4);
    expect_refusal("\x80\x04NNR.", "arguments that are no tuple", 4);
    expect_refusal("\x80\x04N)R.", "what is called is no class or function", 4);
    expect_refusal("\x80\x04NNb.", "what gets a state is no object", 4);
    expect_refusal("\x80\x05\x97.", "buffer 1 is asked for, 0 were given", 2);
    expect_refusal("I12x\n.", "an integer that is none", 0);
    expect_refusal("F1.5.5\n.", "a float that is none", 0);
    expect_refusal("S'abc\n.", "a string without its quotes", 0);
    expect_refusal("Vx\\u12\n.", "an escape that is none", 0);
    expect_refusal("I12", "the line does not end", 0);
}

TEST(PickleRefusal, NothingOutsideIsReferredTo) {
    expect_refusal("Pid\n.", "outside of the pickle", 0);
    expect_refusal("\x80\x04NQ.", "outside of the pickle", 3);
    expect_refusal("\x80\x04\x82\x01.", "table of extensions", 2);
}

TEST(PickleRefusal, NamesAreNeverCalled) {
    // What would run a program in Python is an object that says so.
    const pickle::Value value = pickle::loads("cos\nsystem\n(S'true'\ntR."s);
    EXPECT_EQ(value.kind(), pickle::Kind::object);
    EXPECT_EQ(value.repr(), "os.system('true')");
    EXPECT_THROW(pickle::loads<std::string>("cos\nsystem\n(S'true'\ntR."s), UnpicklingError);
}

TEST(PickleRefusal, DepthIsBounded) {
    std::string lists = "\x80\x04";
    std::string tuples = "\x80\x04)";
    for (int i = 0; i < 100000; ++i) {
        lists += "](";
        tuples += '\x85';
    }
    for (int i = 0; i < 100000; ++i) lists += 'e';
    expect_refusal(lists + ".", "nested deeper than 1000", 2 + 200000 + 1000);
    expect_refusal(tuples + ".", "nested deeper than 1000", 3 + 999);
    EXPECT_EQ(refusal_of("\x80\x04)\x85\x85\x85.", {.max_depth = 4}).message,
              "accepted as ((((),),),)");
    EXPECT_NE(refusal_of("\x80\x04)\x85\x85\x85.", {.max_depth = 3}).message.find("deeper than 3"),
              std::string::npos);
    struct Tree {
        std::vector<Tree> children;
    };
    std::string deep = "\x80\x04";
    for (int i = 0; i < 100000; ++i) deep += "](";
    EXPECT_THROW(pickle::loads<Tree>(deep), UnpicklingError);
}

TEST(PickleRefusal, AMemoNumberFarAheadTakesNoMemory) {
    EXPECT_EQ(pickle::loads("\x80\x04K\x05r\xff\xff\xff\xff"
                            "0j\xff\xff\xff\xff."s)
                  .repr(),
              "5");
    EXPECT_EQ(pickle::loads("I5\np123456789012345\n0g123456789012345\n."s).repr(), "5");
}

TEST(PickleRefusal, CopiesOfOneObjectAreBounded) {
    // A text of a million letters, met a hundred thousand times.
    std::string wire = "\x80\x04](X\x40\x42\x0f\x00"s + std::string(1000000, 'x') + "\x94";
    for (int i = 0; i < 100000; ++i) wire += "h\x00"s;
    wire += "e.";
    EXPECT_EQ(pickle::loads(wire).size(), 100001U);
    EXPECT_THROW(pickle::loads<std::vector<std::string>>(wire), UnpicklingError);
    // Lists of two of the one before: 2 to the power of 60 in all.
    std::string doubled = "\x80\x04]\x94";
    for (int i = 0; i < 60; ++i)
        doubled += "](h"s + static_cast<char>(i) + "h" + static_cast<char>(i) + "e\x94";
    doubled += '.';
    EXPECT_EQ(pickle::loads(doubled).size(), 2U);
    EXPECT_THROW(pickle::loads<Nest>(doubled, {.max_copies = 1 << 16}), UnpicklingError);
    // A set of one list, again and again.
    std::string sets =
        "\x80\x04\x8c\x08"
        "builtins\x8c\x03set\x93\x94](";
    for (int i = 0; i < 10000; ++i) sets += "M\x01\x02";
    sets += "e\x85\x94";
    for (int i = 0; i < 100000; ++i) sets += "0h\x00h\x01R"s;
    sets += '.';
    const Refusal refusal = refusal_of(sets);
    EXPECT_NE(refusal.message.find("max_copies"), std::string::npos) << refusal.message;
}

TEST(PickleRefusal, CyclesDoNotTrapTheReader) {
    const std::string loop =
        "\x80\x04]\x94h\x00"s
        "a.";
    EXPECT_EQ(pickle::loads(loop).repr(), "[[...]]");
    EXPECT_THROW(pickle::loads<Nest>(loop), UnpicklingError);
    EXPECT_THROW(pickle::loads<std::vector<std::vector<std::vector<int>>>>(loop), UnpicklingError);
    EXPECT_THROW(pickle::loads<std::vector<std::string>>(loop), UnpicklingError);
}

TEST(PickleRefusal, AnyTwoAndThreeBytesBehindTheProtocol) {
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; ++second) {
            for (const char* end : {".", "\x94.", "e.", "R."}) {
                std::string wire = "\x80\x04](K\x01";
                wire += static_cast<char>(first);
                wire += static_cast<char>(second);
                wire += end;
                try {
                    static_cast<void>(pickle::dumps(pickle::loads(wire)));
                } catch (const pickle::PickleError&) {
                }
                try {
                    pickle::loads<std::vector<std::string>>(wire);
                } catch (const pickle::PickleError&) {
                }
            }
        }
    }
}

// Bytes that Python wrote (3.11, pickle.dumps of the value in the comment).
TEST(PickleProtocols, OldOnesAreRead) {
    // {'a': [1, -2, 3000000000], 'b': (True, None, 1.5), 'c': b'\xff', 'd': {1}, 'e':
    // 'h\xe9\n\u20ac\\'}
    const std::string p0 =
        "(dp0\nVa\np1\n(lp2\nI1\naI-2\naL3000000000L\nasVb\np3\n(I01\nNF1.5\ntp4\nsVc\np5\nc_"
        "codecs\n"
        "encode\np6\n(V\xff\np7\nVlatin1\np8\ntp9\nRp10\nsVd\np11\nc__builtin__\nset\np12\n(("
        "lp13\nI1\n"
        "atp14\nRp15\nsVe\np16\nVh\xe9\\u000a\\u20ac\\u005c\np17\ns.";
    EXPECT_EQ(pickle::loads(p0).repr(),
              "{'a': [1, -2, 3000000000], 'b': (True, None, 1.5), 'c': b'\\xff', 'd': {1}, "
              "'e': 'h\xc3\xa9\\n\xe2\x82\xac\\\\'}");
    // Python 2: {'k': u'x', 1L: 'a\x00"'} and an instance of an old class.
    EXPECT_EQ(pickle::loads("(dp0\nS'k'\np1\nVx\np2\nsL1L\nS'a\\x00\"'\np3\ns."s).repr(),
              "{'k': 'x', 1: 'a\\x00\"'}");
    EXPECT_EQ(pickle::loads("(imod\nCls\np0\n(dp1\nS'x'\np2\nI5\nsb."s).repr(),
              "mod.Cls() with state {'x': 5}");
    EXPECT_EQ(pickle::loads("\x80\x02(cmod\nCls\nK\x01K\x02o."s).repr(), "mod.Cls(1, 2)");
}

}  // namespace

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <weft/errors.hpp>

#include "subprocess/codec.hpp"
#include "subprocess/support.hpp"
#include "subprocess/utf8.hpp"

namespace {

using namespace weft::subprocess;
using testing::HasSubstr;
using weft::test::Folder;

/// Decoded in pieces of every size, which must give the same.
std::string decode(const std::string& bytes, const std::string& encoding,
                   const std::string& errors = "") {
    std::string given = bytes;
    std::string whole = Decoder(find_text_format(encoding, errors)).decode_all(given);
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        Decoder decoder(find_text_format(encoding, errors));
        std::string text;
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            decoder.decode(std::string_view(bytes).substr(at, piece), text, false);
        }
        decoder.decode({}, text, true);
        EXPECT_EQ(text, whole) << encoding << ' ' << errors << ", pieces of " << piece;
    }
    return whole;
}

std::string encode(const std::string& text, const std::string& encoding,
                   const std::string& errors = "") {
    Encoder encoder(find_text_format(encoding, errors));
    std::string bytes;
    encoder.encode(text, bytes);
    return bytes;
}

std::string message_of(const std::string& bytes, const std::string& encoding) {
    try {
        std::string given = bytes;
        (void)Decoder(find_text_format(encoding, "strict")).decode_all(given);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "nothing thrown";
}

TEST(Text, EndsLinesWithNewlines) {
    EXPECT_EQ(decode("a\r\nb\rc\nd\r\r\ne\r", "utf-8"), "a\nb\nc\nd\n\ne\n");
    EXPECT_EQ(decode("\r", "utf-8"), "\n");
    EXPECT_EQ(decode("", "utf-8"), "");
    EXPECT_EQ(decode(std::string("a\0\r\0\n\0", 6), "utf-16-le"), "a\n");
}

TEST(Text, KnowsPythonsNamesOfEncodings) {
    const std::vector<std::string> names = {
        "utf-8",  "UTF8",       "utf_8",    "latin-1", "latin_1",   "iso8859-15", "iso-8859-15",
        "ascii",  "us-ascii",   "cp1252",   "cp437",   "utf_16_le", "utf-32",     "shift_jis",
        "euc_jp", "gb18030",    "big5",     "koi8-r",  "mac_roman", "gbk",        "cp866",
        "u8",     "ISO-8859-1", "UTF-16BE", "johab",   "hz",        "euc-kr",     "cp1251"};
    for (const std::string& name : names) {
        if (name == "hz") continue;  // iconv has none
        EXPECT_NO_THROW((void)find_text_format(name, "")) << name;
    }
    EXPECT_THROW((void)find_text_format("no such encoding", ""), weft::LookupError);
    EXPECT_THROW((void)find_text_format("ascii//IGNORE", ""), weft::LookupError);
    EXPECT_THROW((void)find_text_format("utf-8", "no such policy"), weft::LookupError);
}

TEST(Text, DecodesWhatIsSound) {
    EXPECT_EQ(decode("h\xC3\xA9llo \xE2\x82\xAC \xF0\x9F\x98\x80", "utf-8"), "héllo € 😀");
    EXPECT_EQ(decode("\xE9\xFF", "latin-1"), "éÿ");
    EXPECT_EQ(decode("\x80", "cp1252"), "€");
    EXPECT_EQ(decode(std::string("\xFF\xFE\xE9\0\x3D\xD8\x00\xDE", 8), "utf-16"), "é😀");
    EXPECT_EQ(decode(std::string("\xFE\xFF\0\xE9", 4), "utf-16"), "é");
    EXPECT_EQ(decode("\xEF\xBB\xBFhi", "utf-8-sig"), "hi");
    EXPECT_EQ(decode("hi", "utf-8-sig"), "hi");
    EXPECT_EQ(decode("\xEF\xBB\xBF\xEF\xBB\xBFhi", "utf-8-sig"), "\uFEFFhi");
    EXPECT_EQ(decode("\x83\x65\x83\x58\x83\x67", "shift_jis"), "テスト");
}

TEST(Text, SaysWhatCannotBeDecoded) {
    EXPECT_THAT(
        message_of("ab\xFF", "utf-8"),
        HasSubstr("'utf-8' codec can't decode byte 0xff in position 2: invalid start byte"));
    EXPECT_THAT(message_of("ab\xE2\x28", "utf-8"),
                HasSubstr("byte 0xe2 in position 2: invalid continuation byte"));
    EXPECT_THAT(message_of("ab\xE2\x82", "utf-8"),
                HasSubstr("byte 0xe2 in position 2: unexpected end of data"));
    EXPECT_THAT(message_of("ab\xE9", "ascii"), HasSubstr("'ascii' codec can't decode byte 0xe9"));
    EXPECT_THAT(message_of("a", "utf-16-le"), HasSubstr("unexpected end of data"));
}

TEST(Text, FollowsThePoliciesWhenDecoding) {
    const std::string bad =
        "a\xFF"
        "b\xE2\x82"
        "c";
    EXPECT_EQ(decode(bad, "utf-8", "ignore"), "abc");
    EXPECT_EQ(decode(bad, "utf-8", "replace"), "a\uFFFDb\uFFFDc");
    EXPECT_EQ(decode(bad, "utf-8", "backslashreplace"), "a\\xffb\\xe2\\x82c");
    EXPECT_EQ(decode(bad, "utf-8", "surrogateescape"), bad);
    EXPECT_THROW((void)decode(bad, "utf-8", "strict"), std::invalid_argument);
    EXPECT_EQ(decode("a\xE9", "ascii", "replace"), "a\uFFFD");
    EXPECT_EQ(decode("a\xE9", "ascii", "surrogateescape"), "a\xED\xB3\xA9");
}

TEST(Text, FollowsThePoliciesWhenEncoding) {
    EXPECT_EQ(encode("aé€", "ascii", "ignore"), "a");
    EXPECT_EQ(encode("aé€", "ascii", "replace"), "a??");
    EXPECT_EQ(encode("aé€😀", "ascii", "backslashreplace"), "a\\xe9\\u20ac\\U0001f600");
    EXPECT_EQ(encode("aé€", "latin-1", "xmlcharrefreplace"), "a\xE9&#8364;");
    EXPECT_THROW((void)encode("é", "ascii"), std::invalid_argument);
    EXPECT_THROW((void)encode("a\xFF", "utf-8"), std::invalid_argument);
    EXPECT_EQ(encode("a\xFF"
                     "b",
                     "utf-8", "ignore"),
              "ab");
    EXPECT_EQ(encode("a\xFF", "utf-8", "replace"), "a?");
    EXPECT_EQ(encode("a\xFF", "utf-8", "backslashreplace"), "a\\xff");
    EXPECT_EQ(encode("é", "utf-16-le"), std::string("\xE9\0", 2));
    EXPECT_EQ(encode("é", "utf-8-sig"), "\xEF\xBB\xBF\xC3\xA9");
}

TEST(Text, SurrogateescapeGivesEveryByteBack) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) {
        if (byte != '\r') all += static_cast<char>(byte);
    }
    for (const char* encoding : {"utf-8", "ascii", "cp1252", "latin-1"}) {
        const std::string text = decode(all, encoding, "surrogateescape");
        EXPECT_EQ(encode(text, encoding, "surrogateescape"), all) << encoding;
    }
}

TEST(Text, EncodesOneMarkForAllPieces) {
    Encoder encoder(find_text_format("utf-16", ""));
    std::string bytes;
    encoder.encode("a", bytes);
    encoder.encode("b", bytes);
    EXPECT_EQ(bytes.size(), 6U);
    EXPECT_EQ(decode(bytes, "utf-16"), "ab");
}

TEST(Text, CountsCharacters) {
    EXPECT_EQ(first_characters("héllo", 2).size, 3U);
    EXPECT_EQ(first_characters("héllo", 99).count, 5U);
    EXPECT_EQ(first_characters("\xFF\xFE", 1).size, 1U);
    EXPECT_EQ(first_characters("", 1).count, 0U);
}

/// Asks Python about every text of a few awkward bytes, in one run.
TEST(Text, AgreesWithPython) {
    const Folder folder;
    folder.write("ask.py", R"(
import itertools, sys
alphabet = [b'a', b'\r', b'\n', b'\x80', b'\xbf', b'\xc3', b'\xed', b'\xa0', b'\xf0', b'\x90', b'\xf4']
for n in range(1, 5):
    for parts in itertools.product(alphabet, repeat=n):
        data = b''.join(parts)
        row = [data.hex()]
        for errors in ('ignore', 'replace', 'backslashreplace'):
            text = data.decode('utf-8', errors).replace('\r\n', '\n').replace('\r', '\n')
            row.append(text.encode().hex())
        print(' '.join(x or '-' for x in row))
)");
    if (!std::filesystem::exists("/usr/bin/python3")) GTEST_SKIP() << "no python3";
    const auto from_hex = [](const std::string& hex) {
        std::string bytes;
        if (hex == "-") return bytes;
        for (std::size_t i = 0; i < hex.size(); i += 2) {
            bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
        }
        return bytes;
    };
    std::size_t count = 0;
    run({"/usr/bin/python3", folder / "ask.py"},
        {.check = true, .on_stdout_line = [&](std::string_view line) {
             std::istringstream fields{std::string(line)};
             std::string data;
             fields >> data;
             for (const char* errors : {"ignore", "replace", "backslashreplace"}) {
                 std::string expected;
                 fields >> expected;
                 Decoder decoder(find_text_format("utf-8", errors));
                 std::string given = from_hex(data);
                 ASSERT_EQ(decoder.decode_all(given), from_hex(expected))
                     << data << ' ' << errors;
             }
             ++count;
         }});
    EXPECT_EQ(count, 11U + 121U + 1331U + 14641U);
}

TEST(Text, AReadThatCannotDecodeLosesNothingElse) {
    weft::subprocess::Popen child({"printf", "one\\n\\377two\\377three"},
                                  {.stdout_ = weft::subprocess::PIPE, .text = true});
    EXPECT_THROW((void)child.stdout_().read(), std::invalid_argument);
    EXPECT_EQ(child.stdout_().readline(), "one\n");
    EXPECT_THROW((void)child.stdout_().read(), std::invalid_argument);
    EXPECT_EQ(child.stdout_().read(), "twothree");
    EXPECT_EQ(child.stdout_().read(), "");
}

TEST(Text, ACutCharacterSurvivesAChangeOfMode) {
    weft::subprocess::Popen child(
        {"sh", "-c", "printf 'a\\303'; read x; printf '\\244b'"},
        {.stdin_ = weft::subprocess::PIPE, .stdout_ = weft::subprocess::PIPE, .text = true});
    EXPECT_EQ(child.stdout_().read(1), "a");
    child.set_universal_newlines(false);
    child.set_universal_newlines(true);
    EXPECT_TRUE(child.universal_newlines());
    child.stdin_().write("\n");
    child.stdin_().flush();
    EXPECT_EQ(child.stdout_().read(), "\303\244b");
}

TEST(Text, ALongReadByCharactersLooksAtEachOnce) {
    // Looking again at all that has come, after each piece, would take hours.
    weft::subprocess::Popen child({"head", "-c", "30000000", "/dev/zero"},
                                  {.stdout_ = weft::subprocess::PIPE, .text = true});
    EXPECT_EQ(child.stdout_().read(29'999'999).size(), 29'999'999U);
    EXPECT_EQ(child.stdout_().read(5).size(), 1U);
}

}  // namespace

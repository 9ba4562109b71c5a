// Classes with serialize(), registered names, bases, versions, and objects that hold each other.

#include <weft/pickle.hpp>

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace pickle = weft::pickle;

namespace bank {

struct Account {
    int id = 0;
    std::string owner;
    bool operator==(const Account&) const = default;
};
template <class Archive>
void serialize(Archive& archive, Account& a) {
    archive(a.id, a.owner);
}

struct Holder {
    std::string name;
    int age = 0;
    bool operator==(const Holder&) const = default;
};
template <class Archive>
void serialize(Archive& archive, Holder& h) {
    archive(pickle::field("name", h.name), pickle::field("age", h.age));
}

/// As Account, under a name.
struct Registered {
    int id = 0;
    std::string owner;
    bool operator==(const Registered&) const = default;
};
template <class Archive>
void serialize(Archive& archive, Registered& a) {
    archive(a.id, a.owner);
}

struct Plain {
    int x = 0;
    int y = 0;
    bool operator==(const Plain&) const = default;
};

struct Nothing {
    bool operator==(const Nothing&) const = default;
};
template <class Archive>
void serialize(Archive& /*archive*/, Nothing& /*nothing*/) {}

struct Node {
    std::string name;
    std::vector<std::shared_ptr<Node>> neighbours;
};
template <class Archive>
void serialize(Archive& archive, Node& n) {
    archive(pickle::field("name", n.name), pickle::field("neighbours", n.neighbours));
}

struct Link {
    std::shared_ptr<Link> next;
};

struct Mixed {
    int a = 0;
    int b = 0;
};
template <class Archive>
void serialize(Archive& archive, Mixed& m) {
    archive(m.a, pickle::field("b", m.b));
}

// The same class as two programs know it.
struct Version1 {
    std::string street;
};
template <class Archive>
void serialize(Archive& archive, Version1& v) {
    static_cast<void>(archive.version(1));
    archive(v.street);
}
struct Version2 {
    std::string street;
    std::string town = "unknown";
};
template <class Archive>
void serialize(Archive& archive, Version2& v) {
    const int version = archive.version(2);
    archive(v.street);
    if (version >= 2) archive(v.town);
}
struct NamedVersion1 {
    std::string street;
};
template <class Archive>
void serialize(Archive& archive, NamedVersion1& v) {
    static_cast<void>(archive.version(1));
    archive(pickle::field("street", v.street));
}
struct NamedVersion2 {
    int version = 0;
    std::string town = "unknown";
    std::string street;
};
template <class Archive>
void serialize(Archive& archive, NamedVersion2& v) {
    v.version = archive.version(2);
    archive(pickle::field("town", v.town), pickle::field("street", v.street));
}

struct Shape {
    Shape() = default;
    Shape(const Shape&) = default;
    Shape& operator=(const Shape&) = default;
    virtual ~Shape() = default;
    [[nodiscard]] virtual double area() const = 0;
    std::string label;
};
struct Named {
    virtual ~Named() = default;
    int number = 0;
};
struct Square : Named, Shape {
    double side = 0;
    [[nodiscard]] double area() const override { return side * side; }
};
template <class Archive>
void serialize(Archive& archive, Square& s) {
    archive(pickle::field("label", s.label), pickle::field("side", s.side));
}
struct Circle : Shape {
    double radius = 0;
    [[nodiscard]] double area() const override { return 3 * radius * radius; }
};
template <class Archive>
void serialize(Archive& archive, Circle& c) {
    archive(c.label, c.radius);
}
struct Secret : Shape {
    [[nodiscard]] double area() const override { return 0; }
};
template <class Archive>
void serialize(Archive& archive, Secret& s) {
    archive(s.label);
}

}  // namespace bank

namespace {

using namespace bank;

template <class T>
void expect_round_trip(const T& value) {
    for (int protocol = 2; protocol <= 5; ++protocol) {
        const weft::bytes wire = pickle::dumps(value, {.protocol = protocol});
        EXPECT_EQ(pickle::loads<T>(wire), value) << protocol;
        EXPECT_EQ(pickle::loads(wire).get<T>(), value) << protocol;
    }
}

template <class T>
bool loads_short(const weft::bytes& wire) {
    pickle::detail::WireSource source(wire, {});
    T object{};
    return source.begin() && pickle::detail::CodecOf<T>::load(source, object) && source.end();
}

std::string text_of(const weft::bytes& wire) {
    return pickle::loads(wire).repr();
}

template <class Function>
std::string message_of(Function function) {
    try {
        function();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TEST(PickleClasses, WithoutNamesAreTheTupleOfTheirFields) {
    expect_round_trip(Account{5, "me"});
    EXPECT_EQ(text_of(pickle::dumps(Account{5, "me"})), "(5, 'me')");
    EXPECT_TRUE(loads_short<Account>(pickle::dumps(Account{5, "me"})));
    expect_round_trip(Nothing{});
    EXPECT_EQ(text_of(pickle::dumps(Nothing{})), "()");
}

TEST(PickleClasses, WithNamedFieldsAreADict) {
    expect_round_trip(Holder{"Ann", 30});
    EXPECT_EQ(text_of(pickle::dumps(Holder{"Ann", 30})), "{'name': 'Ann', 'age': 30}");
    EXPECT_TRUE(loads_short<Holder>(pickle::dumps(Holder{"Ann", 30})));
    // In another order, with others, and without some.
    const auto other = pickle::Value::dict({{"age", 5}, {"size", 2}, {"name", "Bo"}});
    EXPECT_EQ(pickle::loads<Holder>(pickle::dumps(other)), (Holder{"Bo", 5}));
    EXPECT_EQ(pickle::Value::dict({{"age", 5}}).get<Holder>(), (Holder{"", 5}));
}

TEST(PickleClasses, FieldNamesAreWrittenOnce) {
    const std::vector<Holder> many(100, Holder{"Ann", 30});
    const weft::bytes wire = pickle::dumps(many);
    EXPECT_LT(wire.size(), 2000U);
    EXPECT_TRUE(loads_short<std::vector<Holder>>(wire));
    EXPECT_EQ(pickle::loads<std::vector<Holder>>(wire), many);
}

TEST(PickleClasses, RegisteredOnesAreObjectsOfTheirName) {
    pickle::register_class<Registered>("bank.Registered");
    pickle::register_class<Plain>("bank.Plain");
    expect_round_trip(Registered{5, "me"});
    expect_round_trip(Plain{1, 2});
    expect_round_trip(std::vector<Plain>{{1, 2}, {3, 4}});
    EXPECT_EQ(text_of(pickle::dumps(Registered{5, "me"})), "bank.Registered(5, 'me')");
    EXPECT_EQ(text_of(pickle::dumps(Plain{1, 2})), "bank.Plain(1, 2)");
    EXPECT_TRUE(loads_short<Registered>(pickle::dumps(Registered{5, "me"})));
    EXPECT_TRUE(loads_short<std::vector<Plain>>(pickle::dumps(std::vector<Plain>{{1, 2}, {3, 4}})));
    // What a dataclass is when Python pickles it.
    const auto dataclass =
        pickle::Value::object(pickle::Value::global("bank", "Plain"), pickle::Value::tuple({}),
                              pickle::Value::dict({{"x", 8}, {"y", 9}}));
    EXPECT_EQ(pickle::loads<Plain>(pickle::dumps(dataclass)), (Plain{8, 9}));
}

TEST(PickleClasses, AnObjectOfAnotherClassIsRefused) {
    pickle::register_class<Registered>("bank.Registered");
    const auto other = pickle::Value::object(pickle::Value::global("bank", "Robber"),
                                             pickle::Value::tuple({1, "x"}));
    EXPECT_THROW(pickle::loads<Registered>(pickle::dumps(other)), pickle::UnpicklingError);
    EXPECT_THROW(pickle::loads<Account>(pickle::dumps(other)), pickle::UnpicklingError);
    EXPECT_THROW((pickle::loads<std::pair<int, std::string>>(pickle::dumps(other))),
                 pickle::UnpicklingError);
}

TEST(PickleClasses, ANameBelongsToOneClass) {
    struct First {
        int a = 0;
    };
    struct Second {
        int a = 0;
    };
    pickle::register_class<First>("names.First");
    EXPECT_NO_THROW(pickle::register_class<First>("names.First"));
    EXPECT_THROW(pickle::register_class<First>("names.Other"), std::invalid_argument);
    EXPECT_THROW(pickle::register_class<Second>("names.First"), std::invalid_argument);
    for (const char* name : {"Second", ".Second", "names.", ""}) {
        EXPECT_THROW(pickle::register_class<Second>(name), std::invalid_argument) << name;
    }
    EXPECT_EQ(text_of(pickle::dumps(Second{1})), "(1,)");
    EXPECT_EQ(text_of(pickle::dumps(First{1})), "names.First(1)");
}

TEST(PickleClasses, FieldsAreAllNamedOrNone) {
    EXPECT_THROW(pickle::dumps(Mixed{1, 2}), pickle::PicklingError);
}

TEST(PickleClasses, OlderVersionsAreRead) {
    const auto old = pickle::loads<Version2>(pickle::dumps(Version1{"Long Street"}));
    EXPECT_EQ(old.street, "Long Street");
    EXPECT_EQ(old.town, "unknown");
    const auto now = pickle::loads<Version2>(pickle::dumps(Version2{"Long Street", "Ulm"}));
    EXPECT_EQ(now.town, "Ulm");
    EXPECT_TRUE(loads_short<Version2>(pickle::dumps(Version2{"Long Street", "Ulm"})));
    const auto named = pickle::loads<NamedVersion2>(pickle::dumps(NamedVersion1{"Short Street"}));
    EXPECT_EQ(named.street, "Short Street");
    EXPECT_EQ(named.town, "unknown");
    EXPECT_EQ(named.version, 1);
}

TEST(PickleClasses, AVersionThatIsNotNotedIsZero) {
    EXPECT_EQ(pickle::Value::dict({{"street", "x"}}).get<NamedVersion2>().version, 0);
}

TEST(PickleClasses, NewerVersionsAreRefused) {
    EXPECT_THROW(pickle::loads<Version1>(pickle::dumps(Version2{})), pickle::UnpicklingError);
    EXPECT_THROW(pickle::loads<NamedVersion1>(pickle::dumps(NamedVersion2{})),
                 pickle::UnpicklingError);
}

TEST(PickleClasses, TooManyFieldsAreRefused) {
    EXPECT_THROW(pickle::loads<Account>(pickle::dumps(std::tuple(1, "x", 2))),
                 pickle::UnpicklingError);
    EXPECT_THROW(pickle::loads<Account>(pickle::dumps(std::tuple(1))), pickle::UnpicklingError);
}

TEST(PickleClasses, ObjectsThatHoldEachOther) {
    pickle::register_class<Node>("graph.Node");
    const auto ann = std::make_shared<Node>(Node{"Ann", {}});
    const auto bo = std::make_shared<Node>(Node{"Bo", {ann}});
    ann->neighbours = {bo, ann};
    for (int protocol = 2; protocol <= 5; ++protocol) {
        const auto copy =
            pickle::loads<std::shared_ptr<Node>>(pickle::dumps(ann, {.protocol = protocol}));
        EXPECT_EQ(copy->name, "Ann");
        ASSERT_EQ(copy->neighbours.size(), 2U);
        EXPECT_EQ(copy->neighbours[1], copy);
        EXPECT_EQ(copy->neighbours[0]->neighbours[0], copy);
        EXPECT_EQ(copy->neighbours[0]->name, "Bo");
        copy->neighbours.clear();
    }
    ann->neighbours.clear();
}

TEST(PickleClasses, ACycleThatPythonCannotMakeIsRefused) {
    const auto link = std::make_shared<Link>();
    link->next = link;
    EXPECT_THROW(pickle::dumps(link), pickle::PicklingError);
    link->next.reset();
}

TEST(PickleClasses, DerivedOnesTravelThroughTheirBase) {
    pickle::register_class<Square, Shape, Named>("shapes.Square");
    pickle::register_class<Circle, Shape>("shapes.Circle");
    std::vector<std::unique_ptr<Shape>> shapes;
    auto square = std::make_unique<Square>();
    square->side = 2;
    square->label = "s";
    shapes.push_back(std::move(square));
    auto circle = std::make_unique<Circle>();
    circle->radius = 1;
    shapes.push_back(std::move(circle));
    shapes.push_back(nullptr);
    const weft::bytes wire = pickle::dumps(shapes);
    const auto copies = pickle::loads<std::vector<std::unique_ptr<Shape>>>(wire);
    ASSERT_EQ(copies.size(), 3U);
    EXPECT_EQ(copies[0]->area(), 4);
    EXPECT_EQ(copies[0]->label, "s");
    EXPECT_EQ(copies[1]->area(), 3);
    EXPECT_EQ(copies[2], nullptr);
    EXPECT_NE(dynamic_cast<Square*>(copies[0].get()), nullptr);
}

TEST(PickleClasses, OneObjectThroughTwoBasesIsOne) {
    pickle::register_class<Square, Shape, Named>("shapes.Square");
    const auto square = std::make_shared<Square>();
    square->side = 3;
    using Pair = std::pair<std::shared_ptr<Shape>, std::shared_ptr<Named>>;
    const auto copy = pickle::loads<Pair>(pickle::dumps(Pair(square, square)));
    EXPECT_EQ(copy.first->area(), 9);
    EXPECT_EQ(dynamic_cast<Square*>(copy.first.get()), dynamic_cast<Square*>(copy.second.get()));
}

TEST(PickleClasses, ADerivedOneWithoutANameIsRefused) {
    const std::unique_ptr<Shape> secret = std::make_unique<Secret>();
    const std::string message = message_of([&] { pickle::dumps(secret); });
    EXPECT_NE(message.find("bank::Secret"), std::string::npos) << message;
    EXPECT_NE(message.find("register_class"), std::string::npos) << message;
    const auto object = pickle::Value::object(pickle::Value::global("shapes", "Unheard"),
                                              pickle::Value::tuple({"x"}));
    const std::string reading =
        message_of([&] { pickle::loads<std::unique_ptr<Shape>>(pickle::dumps(object)); });
    EXPECT_NE(reading.find("shapes.Unheard is not registered"), std::string::npos) << reading;
}

TEST(PickleClasses, AClassThatIsNotDerivedFromTheBaseIsRefused) {
    pickle::register_class<Circle, Shape>("shapes.Circle");
    Circle circle;
    EXPECT_THROW(pickle::loads<std::unique_ptr<Named>>(pickle::dumps(circle)),
                 pickle::UnpicklingError);
    EXPECT_THROW((pickle::register_class<Circle, Shape, Shape>("shapes.Circle2")),
                 std::invalid_argument);
}

}  // namespace

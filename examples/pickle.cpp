#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <weft/pickle.hpp>

using namespace weft;

struct Job {  // a plain struct needs nothing more
    int id = 0;
    std::string name;
    auto operator<=>(const Job&) const = default;
};

struct Holder {
    std::string name;
    int age = 0;
};

template <class Archive>
void serialize(Archive& archive, Holder& h) {
    archive(pickle::field("name", h.name), pickle::field("age", h.age));
}

int main() {
    pickle::register_class<Holder>("bank.Holder");

    const std::map<std::string, std::vector<Job>> jobs{{"today", {{1, "wash"}, {2, "dry"}}}};
    const bytes wire = pickle::dumps(jobs);  // Python: {'today': [(1, 'wash'), (2, 'dry')]}
    const auto again = pickle::loads<std::map<std::string, std::vector<Job>>>(wire);

    const pickle::Value any = pickle::loads(wire);  // when the type is not known beforehand
    std::printf("%s\n", any.repr().c_str());
    const auto name = any.at("today").at(0).at(1).get<std::string>();

    const pickle::Value holder = pickle::loads(pickle::dumps(Holder{"Ann", 30}));
    std::printf("%s is %d\n", holder.type_name().c_str(), holder.at("age").get<int>());
    return again == jobs && name == "wash" && holder.get<Holder>().age == 30 ? 0 : 1;
}

#pragma once

// What is compiled with -finstrument-functions, for the tests.
namespace traced {

int leaf(int n);
extern const int leaf_line;
/// Calls leaf() twice.
int outer(int n);
/// Calls a function that no other unit sees.
int with_hidden(int n);
extern const int hidden_line;
void throw_one();

struct Shape {
    virtual ~Shape() = default;
    virtual int corners() const;
};

}  // namespace traced

extern "C" int traced_c_function(int n);

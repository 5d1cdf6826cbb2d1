// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small inline functions for vectors, for one ISA. Only those that are used are printed. g++ and clang++ compile each to
// the expected instructions; where one of them does not, the function calls its builtin.
#pragma once
#include "compiler/program/program.h"
#include "compiler/target/machine.h"
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gradc::target {

/// An element of the text's vector types. Masks are signed integers, 0 or -1, as wide as the values that were compared.
enum class Lane : uint8_t { f32, f64, i8, i32, i64, u8, u16, u32, u64 };
struct VectorType {
    Lane lane = Lane::i32;
    int lanes = 1;
    auto operator<=>(const VectorType&) const = default;
};
int lane_bytes(Lane lane);
std::string scalar_name(Lane lane);     // "float", "int32_t"
std::string memory_name(Lane lane);     // "f32": the same, allowed to alias; what pointers point to
std::string type_name(VectorType type); // "f32x16", or scalar_name
Lane lane_of(Dtype dtype);              // boolean: u8, as in memory
Lane mask_lane(int bytes);              // i8, i32, i64

class Prelude {
public:
    explicit Prelude(const Machine& machine) : machine_(machine) {}

    /// Each has a function printed and returns what it is called by.
    std::string splat(VectorType type);                            // splat<f32x16>(x): all lanes x
    std::string lanes(VectorType type);                            // lane_numbers<i32x16>(): 0, 1, 2 ..
    std::string first(VectorType mask);                            // first_lanes<i32x16>(n): lanes below n
    std::string load(VectorType type);                             // load<f32x16>(p)
    std::string load_masked(VectorType type);                      // load<f32x16>(p, mask)
    std::string strided(VectorType type, bool masked);             // load_strided<f32x16>(p, stride[, mask])
    std::string gather(VectorType type, bool masked);              // gather<f32x16>(p, index[, mask])
    std::string store(VectorType type, bool strided, bool masked); // store(p, v[, mask])
    std::string fma(VectorType type);
    std::string root(VectorType type);
    std::string floor(VectorType type);
    std::string abs(VectorType type);
    std::string extremum(VectorType type, bool least);            // minimum(a, b)
    std::string reduce(VectorType type, const std::string& what); // sum_of, max_of, min_of
    std::string wrapping(VectorType type,
                         const std::string& what); // plus, minus, times, left, right_unsigned, times_high
    std::string rounded_down(VectorType type, const std::string& what); // quotient, remainder_of
    std::string reinterpret(Lane from,
                            Lane to); // bits_of(x), float_of(x), double_of(x), of scalars
    std::string bf16(int lanes, bool to);
    /// A function made of a kernel's statements, such as exp; its name, with a number if another has it.
    using Parameters = std::vector<std::pair<std::string, std::string>>; // type and name, "" where it is not used
    std::string function(const std::string& name, const std::string& type, const Parameters& taken,
                         const std::string& body);
    /// A function that calls `tile` for the tiles of a product's rows, from the statements in `body`.
    std::string for_tiles(const std::string& name, const std::string& body);
    std::string taken(VectorType type);       // as a parameter: by reference when wider than the machine's registers
    const std::string& type(VectorType type); // notes that it is used

    const std::set<VectorType>& used_types() const { return types_; }
    std::string text() const;

private:
    /// Adds a function unless it is there: "RETURN NAME(PARAMETERS) { BODY }" with BODY's lines, as a template if there
    /// are template parameters.
    void add(const std::string& parameters, const std::string& head, const std::vector<std::string>& body);
    void add(const std::string& head, const std::vector<std::string>& body) { add("", head, body); }
    void lane_types();
    std::string loaded(VectorType type, const std::string& name, const std::string& more, const std::string& element,
                       bool masked);
    std::vector<std::string> each(const std::string& clang, const std::string& lane) const;
    bool full(VectorType type) const { return type.lanes * lane_bytes(type.lane) >= 16; }

    const Machine& machine_;
    std::set<VectorType> types_;
    std::map<VectorType, std::string> names_;
    std::set<std::string> heads_;
    std::vector<std::string> functions_;
    std::map<std::string, std::string> made_; // heads of functions of statements, with their bodies
};

/// typedef lines for these types and what pointers point to.
std::string type_declarations(const std::set<VectorType>& types);

/// The declarations of runtime/abi.h, without its comments.
std::string abi_declarations();

} // namespace gradc::target

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One kernel of the loop IR as a C++ function that people can read. A value that is used once is written where it is
// used; others have names. Addresses are x[64*n + k]. An expression never moves past a store or into a loop.
#pragma once
#include "compiler/target/cpp/places.h"
#include "compiler/target/cpp/prelude.h"
#include "compiler/target/cpp/roll.h"

namespace gradc::target {

class CppKernel {
public:
    /// `places`: the text's constants; without them offsets are numbers.
    CppKernel(const loop::Module& module, const loop::Kernel& kernel, const Machine& machine, Prelude& prelude,
              Places* places = nullptr);
    /// The function with its comments, as `name`.
    std::string run(const std::string& name);

private:
    std::string attempt(const std::string& name);
    /// How tightly the outermost operator binds; an operand that binds less gets parentheses.
    enum Level { ternary = 3, bits = 6, compare = 9, shift = 11, sum = 12, product = 13, unary = 15, primary = 16 };
    struct Expression {
        std::string text;
        int level = primary;
        bool scalar_literal = false;              // a vector that is all one number, written as that number
        bool known = false;                       // has text
        std::vector<loop::ValueId> changing = {}; // carried values that the text reads
    };

    // kernel.cpp: statements
    void print(const loop::Body& body);
    void print_scope(const loop::Body& body); // names inside are free again behind it
    void print(const loop::Define& define);
    void print(const loop::Load& load);
    void print(const loop::Store& store);
    void print(const loop::Prefetch& prefetch);
    const Accumulators* array(loop::BufferId buffer) const;
    void declare(loop::BufferId buffer);
    Expression element(loop::BufferId buffer, const loop::Affine& at) const;
    void print(const loop::Comment& comment);
    void print(const loop::Loop& loop);
    void print(const loop::If& branch);
    void line(const std::string& text);
    void settle(loop::ValueId id, Expression expression);
    void advance(const loop::Loop& loop);
    std::string pointers() const;

    // function.cpp: values that are known functions of others
    void find_calls();
    bool collect(const loop::Call& call, loop::ValueId id, std::set<loop::ValueId>& seen, loop::Body& slice) const;
    Expression call_text(const loop::Call& call);
    std::string print_function(const loop::Call& call);

    // tile.cpp: tiles of several numbers of rows as one template
    bool alone(loop::BufferId id) const; // no other buffer of the kernel shares its bytes
    bool is_tile(const loop::Statement& statement) const;
    void find_groups(const loop::Body& body);
    void find_group(const std::vector<const loop::Loop*>& tiles);
    const loop::Call* bound(loop::ValueId id, const std::string& what, int64_t rows) const;
    void print_group(const loop::Loop& first);
    std::string group_function(const loop::Call& call, const std::vector<const loop::Loop*>& tiles);
    std::string print_group_function(const loop::Call& call, const std::vector<const loop::Loop*>& tiles);
    std::string tile_text(const loop::Loop& loop, const std::string& rows);
    void print_tile(const loop::Loop& loop);
    std::vector<std::pair<std::string, std::string>> tile_parameters(const loop::Loop& loop, const std::string& text);
    int tile_rows(const loop::Body& body) const;

    std::string declared(loop::ValueId id) const;
    std::string fresh_name(loop::ValueId id, const std::string& otherwise);

    // uses.cpp: how often values are used, and where they may be written
    void count_uses(const std::vector<loop::ValueId>& results = {});
    void note_definitions(const loop::Body& body);
    void count(const loop::Body& body, int number);
    void count(const loop::Statement& statement, int place, int body);
    void use(loop::ValueId id, int body, int place);
    void use(const loop::Affine& element, int body, int place);
    bool movable(loop::ValueId id, int from) const;
    void touch(loop::BufferId buffer);

    // expression.cpp
    Expression expression(const loop::Define& define);
    Expression literal(const loop::Define& define);
    Expression binary(const char* sign, int level, loop::ValueId a, loop::ValueId b);
    Expression call(const std::string& function, const std::vector<loop::ValueId>& operands);
    Expression arithmetic(const loop::Define& define);
    Expression integer_arithmetic(const loop::Define& define);
    Expression comparison(const loop::Define& define);
    Expression bit_operation(const loop::Define& define);
    Expression lane_operation(const loop::Define& define);
    Expression conversion(const loop::Define& define);
    Expression selection(const loop::Define& define);
    Expression operand(loop::ValueId id,
                       int least) const;           // parenthesised below `least`; a vector literal as a scalar
    std::string argument(loop::ValueId id);        // as an argument: a vector literal spelled as vector
    std::string mask(loop::ValueId id, int bytes); // a mask with lanes of so many bytes
    Expression place(loop::BufferId buffer, const loop::Affine& element, bool address, int64_t shift = 0);
    int mask_bytes(loop::ValueId id) const { return mask_bytes_[id] ? mask_bytes_[id] : 4; }
    void want_mask(loop::ValueId id, int bytes);
    void choose_masks(const loop::Body& body);

    loop::ValueType type_of(loop::ValueId id) const { return kernel_.types[id]; }
    VectorType vector_of(loop::ValueId id) const;
    const loop::Define* definition(loop::ValueId id) const { return definitions_[id]; }
    static void merge(Expression& into, const Expression& from);

    const loop::Module& module_;
    const loop::Kernel& given_;
    RolledKernel rolled_;
    const loop::Kernel& kernel_ = rolled_.kernel;
    struct Tile {
        std::string body, parameters, name;
        std::vector<int> users = {};
    };
    std::string kernel_name_;
    std::vector<Tile> tiles_;   // printed above the kernel
    bool beside_tiles_ = false; // of the body under way: it has several
    std::string rows_name_;     // of the number of rows in the tile under way, if it has one
    std::map<const loop::Loop*, int> tile_numbers_;
    std::map<const loop::Loop*, std::vector<const loop::Loop*>> groups_; // tiles of all rows, by the first
    std::set<const loop::Loop*> grouped_;                                // and all of them
    std::set<int> single_; // tiles whose text no other tile has; known after an attempt
    std::set<int> split_;  // first tiles of groups whose texts differ
    size_t given_splits_ = 0;
    std::map<loop::BufferId, std::string> arrays_; // accumulators that are declared, by name
    const Machine& machine_;
    Prelude& prelude_;
    Places* places_;
    std::vector<loop::BufferId> arguments_; // buffers whose offsets the function is given, in order
    Names names_;
    std::string text_;
    int indent_ = 1;
    std::vector<Expression> values_;               // by ValueId
    std::vector<const loop::Define*> definitions_; // by ValueId
    std::vector<int> mask_bytes_;                  // by ValueId; 0: whatever its first user wants
    std::vector<bool> index_;                      // by ValueId: made of ranges, counters and literals only
    struct Uses {
        int count = 0, body = -1,
            place = 0; // place: where the only use is evaluated, in statements of its body
    };
    std::vector<Uses> uses_;                  // by ValueId
    std::vector<int> home_;                   // by ValueId: number of the body that defines it
    std::vector<std::vector<bool>> barriers_; // by body: statements that no load may pass
    std::map<const loop::Body*, int> numbers_;
    std::map<loop::BufferId, std::string> buffers_; // those that the kernel touches, by name in the text
    std::map<loop::ValueId, std::string> sources_;  // what was loaded from which buffer, for names
    std::set<loop::BufferId> written_;
    std::map<loop::ValueId, loop::Call> calls_; // by result
    std::set<std::string> parameters_;          // that the body names
    std::set<loop::ValueId> named_;             // values in scope that have a line of their own
};

} // namespace gradc::target

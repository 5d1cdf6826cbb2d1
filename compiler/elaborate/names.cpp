// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names that an expression reads.
#include "compiler/elaborate/types.h"

namespace gradc {

namespace {

struct Collector {
    std::vector<std::string>& names;

    void all(const std::vector<ast::ExprRef>& expressions) const {
        for (const auto& each : expressions) visit(each);
    }
    void visit(const ast::ExprRef& expression) const {
        if (expression) std::visit(*this, expression->node);
    }
    void operator()(const ast::Number&) const {}
    void operator()(const ast::Text&) const {}
    void operator()(const ast::Name& name) const { names.push_back(name.name); }
    void operator()(const ast::Ellipsis&) const {}
    void operator()(const ast::Range& range) const { visit(range.first), visit(range.last); }
    void operator()(const ast::Slice& slice) const { visit(slice.start), visit(slice.stop), visit(slice.step); }
    void operator()(const ast::Unary& unary) const { visit(unary.operand); }
    void operator()(const ast::Transpose& tick) const { visit(tick.operand); }
    void operator()(const ast::Binary& binary) const { visit(binary.left), visit(binary.right); }
    void operator()(const ast::Member& member) const { visit(member.object); }
    void operator()(const ast::Index& index) const { visit(index.object), all(index.items); }
    void operator()(const ast::Call& call) const {
        for (const auto& binder : call.indices) visit(binder.bound);
        for (const auto& argument : call.arguments) visit(argument.value);
    }
    void operator()(const ast::List& list) const { all(list.items); }
    void operator()(const ast::Scan& scan) const {
        visit(scan.bound);
        for (const auto& carried : scan.carried) visit(carried.initial);
    }
};

} // namespace

void collect_names(const ast::Expr& expression, std::vector<std::string>& names) {
    std::visit(Collector{names}, expression.node);
}

bool matches(const std::string& pattern, const std::string& path) {
    size_t star = pattern.find('*');
    if (star == std::string::npos) return path == pattern || path.starts_with(pattern + ".");
    if (path.size() < star || path.compare(0, star, pattern, 0, star) != 0) return false;
    std::string rest = pattern.substr(star + 1);
    if (rest.find('*') == std::string::npos) return path.size() >= star + rest.size() && path.ends_with(rest);
    for (size_t i = star; i <= path.size(); ++i)
        if (matches("x" + rest, "x" + path.substr(i))) return true;
    return false;
}

} // namespace gradc

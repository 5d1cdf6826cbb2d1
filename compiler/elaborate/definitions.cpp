// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files are loaded depth first: the `use` lines of a file are followed before its constants are evaluated. A file that
// is used twice is loaded once. A cycle is an error at the line that closes it.
#include "compiler/elaborate/definitions.h"
#include "compiler/elaborate/library/library.h"
#include "compiler/elaborate/values.h"
#include "compiler/util/check.h"
#include "dsl/parser.h"
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>

namespace gradc {

namespace {

std::string folder(const std::string& path) {
    size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

/// The constant of `--set name=text`: a number, true or false. Nothing for other texts.
std::optional<Term> set_value(std::string text) {
    if (text == "true" || text == "false") return truth(text == "true");
    text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
    double value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value != value) return {};
    bool is_integer = text.find_first_of(".eEin") == std::string::npos;
    if (!is_integer) return real(value);
    return std::abs(value) < 9e15 ? std::optional(integer_number(int64_t(value))) : std::nullopt;
}

std::shared_ptr<const ast::Module> parse_shared(Sources& sources, uint32_t source, Diagnostics& diagnostics) {
    return std::make_shared<const ast::Module>(parse(sources, source, diagnostics));
}

} // namespace

Definitions::Definitions(Sources& sources, SourceReader& reader, const Options& options, Diagnostics& diagnostics)
    : sources(&sources), reader(&reader), options(options), diagnostics(&diagnostics),
      primitives(options.library ? options.library->primitives : std::make_shared<PrimitiveTable>()),
      initial(primitives), derived(primitives) {
    custom_gradient_calls.emplace_back(); // clause 0: stop_gradient, which passes no gradient
}

void Definitions::detach() {
    own_sources_ = *sources;
    sources = &own_sources_;
    reader = nullptr;
    diagnostics = &late_;
}

void Definitions::load(uint32_t main) {
    load_library();
    std::vector<std::string> under_way;
    main_module = load_module(main, nullptr, under_way);
    report_unused_settings();
}

void Definitions::load_library() {
    std::vector<std::string> none;
    if (options.library) {
        check(sources->all.size() == 1, "elaborate", "the model is not the first source");
        const Library& known = *options.library;
        sources->all.insert(sources->all.end(), known.sources.begin(), known.sources.end());
        for (size_t i = 0; i < known.trees.size(); ++i)
            library_.push_back(load_module(uint32_t(i + 1), known.trees[i], none));
        return;
    }
    for (const StandardFile& file : standard_library()) {
        if (std::string_view(file.name) == "std/math.grad") continue; // approximations, not for models
        uint32_t source = sources->add({file.name, std::string(file.text)});
        library_.push_back(load_module(source, parse_shared(*sources, source, *diagnostics), none));
    }
}

uint32_t Definitions::load_module(uint32_t source, Tree known, std::vector<std::string>& under_way) {
    std::string path = std::filesystem::path(sources->all[source].name).lexically_normal().string();
    under_way.push_back(path);
    uint32_t number = uint32_t(modules.size());
    module_of_path_[path] = number;
    modules.emplace_back(known ? known : parse_shared(*sources, source, *diagnostics));
    modules[number].standard = known != nullptr;
    for (const ast::Item& item : modules[number].tree.items)
        if (auto* line = std::get_if<ast::Use>(&item.node)) use(number, *line, under_way);
    declare(number);
    under_way.pop_back();
    return number;
}

void Definitions::use(uint32_t number, const ast::Use& line, std::vector<std::string>& under_way) {
    std::string path = line.path;
    if (path.empty() || path[0] != '/') path = folder(sources->all[modules[number].tree.source].name) + path;
    path = std::filesystem::path(path).lexically_normal().string();
    if (std::find(under_way.begin(), under_way.end(), path) != under_way.end()) {
        diagnostics->report(Code::import_cycle, line.path_span,
                            fmt::format("`{}` imports itself through this line", line.path),
                            "this file is already being read", "move the shared definitions into a third file");
        return;
    }
    if (auto known = module_of_path_.find(path); known != module_of_path_.end()) {
        modules[number].uses.push_back(known->second);
        return;
    }
    if (under_way.size() >= 64) {
        diagnostics->report(Code::import_cycle, line.path_span, "imports nest more than 64 levels deep");
        return;
    }
    std::string reason;
    auto text = reader->read(path, reason);
    if (!text) {
        diagnostics->report(Code::unreadable_file, line.path_span, fmt::format("cannot read `{}`: {}", path, reason),
                            "", "the path is relative to the file that uses it");
        return;
    }
    uint32_t source = sources->add({path, std::move(*text)});
    uint32_t used = load_module(source, nullptr, under_way);
    modules[number].uses.push_back(used);
}

void Definitions::declare(uint32_t number) {
    for (const ast::Item& item : modules[number].tree.items) {
        if (auto* function = std::get_if<ast::Function>(&item.node)) declare_function(number, *function);
        if (auto* constants = std::get_if<ast::Constants>(&item.node))
            for (const ast::Constant& constant : constants->all) define_constant(constant, number);
    }
}

void Definitions::declare_function(uint32_t number, const ast::Function& function) {
    Module& module = modules[number];
    FunctionEntry entry{&function, number, {}};
    if (!function.value && !function.body) {
        if (!module.standard) {
            diagnostics->report(Code::missing_return, function.name_span,
                                fmt::format("`{}` has neither `= ..` nor a block", function.name), "",
                                "only the library can declare functions without a body");
            return;
        }
        entry.primitive = primitives->declare(function.name, int(function.parameters.size()));
    }
    auto [at, fresh] = module.functions.emplace(function.name, entry);
    if (fresh) return;
    diagnostics
        ->report(Code::duplicate_definition, function.name_span,
                 fmt::format("`{}` is defined twice in this file", function.name))
        .remarks.push_back({at->second.tree->name_span, "first defined here"});
}

void Definitions::define_constant(const ast::Constant& constant, uint32_t number) {
    Module& module = modules[number];
    const std::string& name = constant.target.name;
    if (auto known = module.constant_spans.find(name); known != module.constant_spans.end()) {
        diagnostics
            ->report(Code::duplicate_definition, constant.target.span,
                     fmt::format("const `{}` is defined twice in this file", name))
            .remarks.push_back({known->second, "first defined here"});
        return;
    }
    module.constant_spans[name] = constant.target.span;
    auto set = options.set.find(name);
    if (!module.standard && set != options.set.end()) {
        settings_used.insert(name);
        auto value = set_value(set->second);
        if (!value)
            diagnostics->report(Code::bad_constant, constant.target.span,
                                fmt::format("--set {}={}: `{}` is not a number", name, set->second, set->second));
        module.constants[name] = value ? *value : Term{};
        return;
    }
    Graph scratch(primitives);
    Elaborator elaborator(*this, scratch, {});
    Frame frame = block_frame(elaborator.definitions, "const", number, nullptr);
    Scope scope;
    scope.frame = &frame;
    Term value = elaborator.evaluate(*constant.value, scope);
    if (!value.poisoned() && !gradc::constant(value)) {
        diagnostics->report(Code::not_constant, constant.value->span,
                            fmt::format("const `{}` must be known when compiling", name),
                            describe(elaborator, value) + " is known at run time only");
        value = Term{};
    }
    module.constants[name] = value;
}

void Definitions::report_unused_settings() {
    for (const auto& [name, text] : options.set) {
        if (settings_used.count(name)) continue;
        auto near = nearest(name, constant_names(main_module));
        diagnostics->report(Code::unknown_constant, {},
                            fmt::format("--set {}={}: the model has no const `{}`", name, text, name), "",
                            near ? fmt::format("did you mean `{}`?", *near) : "");
    }
}

bool Definitions::standard(uint32_t source) const {
    return std::any_of(library_.begin(), library_.end(),
                       [&](uint32_t module) { return modules[module].tree.source == source; });
}

const FunctionEntry* Definitions::find_function(const std::string& name, uint32_t number) const {
    auto in = [&](uint32_t module) -> const FunctionEntry* {
        auto found = modules[module].functions.find(name);
        return found == modules[module].functions.end() ? nullptr : &found->second;
    };
    if (auto own = in(number)) return own;
    for (uint32_t used : modules[number].uses)
        if (auto found = in(used)) return found;
    for (uint32_t module : library_)
        if (auto found = in(module); found && (modules[number].standard || !found->hidden())) return found;
    return nullptr;
}

const Term* Definitions::find_constant(const std::string& name, uint32_t number) const {
    auto in = [&](uint32_t module) -> const Term* {
        auto found = modules[module].constants.find(name);
        return found == modules[module].constants.end() ? nullptr : &found->second;
    };
    if (auto own = in(number)) return own;
    for (uint32_t used : modules[number].uses)
        if (auto found = in(used)) return found;
    return nullptr;
}

Span Definitions::constant_span(const std::string& name, uint32_t number) const {
    std::vector<uint32_t> sought{number};
    sought.insert(sought.end(), modules[number].uses.begin(), modules[number].uses.end());
    for (uint32_t module : sought)
        if (auto found = modules[module].constant_spans.find(name); found != modules[module].constant_spans.end())
            return found->second;
    return {};
}

std::vector<std::string> Definitions::function_names(uint32_t number) const {
    std::set<std::string> names;
    auto add = [&](uint32_t module) {
        for (const auto& [name, entry] : modules[module].functions)
            if (!modules[module].standard || !entry.hidden()) names.insert(name);
    };
    add(number);
    for (uint32_t module : modules[number].uses) add(module);
    for (uint32_t module : library_) add(module);
    return {names.begin(), names.end()};
}

std::vector<std::string> Definitions::constant_names(uint32_t number) const {
    std::vector<std::string> names;
    auto add = [&](uint32_t module) {
        for (const auto& each : modules[module].constant_spans) names.push_back(each.first);
    };
    add(number);
    for (uint32_t module : modules[number].uses) add(module);
    return names;
}

uint64_t Definitions::clause_of(CustomGradientCall call) {
    auto equal = [](const auto& a, const auto& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                          [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); });
    };
    for (size_t i = 1; i < custom_gradient_calls.size(); ++i) {
        const CustomGradientCall& known = custom_gradient_calls[i];
        if (known.function == call.function && known.labels == call.labels && equal(known.arguments, call.arguments) &&
            equal(known.sizes, call.sizes))
            return i;
    }
    custom_gradient_calls.push_back(std::move(call));
    return custom_gradient_calls.size() - 1;
}

Variable* Definitions::find_variable(const std::string& path) {
    auto found = variable_numbers_.find(path);
    return found == variable_numbers_.end() ? nullptr : &variables[found->second];
}

NodeId Definitions::derived_start_of(const std::string& path) {
    auto known = derived_starts_.find(path);
    return known != derived_starts_.end() ? known->second : build::variable(derived, path, find_variable(path)->type);
}

Variable& Definitions::add_variable(Variable variable, NodeId start, NodeId again) {
    variable_numbers_[variable.path] = variables.size();
    starts_[variable.path] = start;
    NodeId assign = build::assign(initial, variable.path, start, variable.span);
    initial.outputs.push_back({variable.path, assign});
    if (again != NodeId::none) {
        derived_starts_[variable.path] = again;
        derived.outputs.push_back({variable.path, build::assign(derived, variable.path, again, variable.span)});
    }
    variables.push_back(std::move(variable));
    return variables.back();
}

void Definitions::forget_variables(size_t count) {
    for (size_t i = count; i < variables.size(); ++i) {
        variable_numbers_.erase(variables[i].path);
        starts_.erase(variables[i].path);
        derived_starts_.erase(variables[i].path);
        made_in.erase(variables[i].path);
    }
    variables.erase(variables.begin() + long(count), variables.end());
    initial.outputs.resize(count);
    std::erase_if(derived.outputs, [&](const Output& each) { return !find_variable(each.name); });
}

} // namespace gradc

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Flags of the command line, `--name value`, `--name=value` and switches; suggestions for unknown names.
#pragma once
#include "runtime/base/error.h"
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradc::runtime {

struct Option {
    Option(std::string_view name, std::string_view value, std::string_view help, bool value_optional = false,
           bool listed = true);
    std::string name;  // without the dashes
    std::string value; // name of its value in the help: "DIR"; "" for a switch
    std::string help;
    bool value_optional; // --confine, --confine=DIR
    bool listed;         // in --help
};

class Arguments {
public:
    /// Reads the words after the command. Flags may precede or follow other words; `--` ends them.
    bool parse(const std::vector<std::string>& words, const std::vector<Option>& options, Error& error);

    bool has(std::string_view name) const { return find(name) != nullptr; }
    /// The last value given, "" if there is none.
    std::string value(std::string_view name) const;
    /// Leaves `number` unchanged if the flag is absent.
    bool integer(std::string_view name, int64_t low, int64_t high, int64_t& number, Error& error) const;
    bool number(std::string_view name, double& number, Error& error) const;
    const std::vector<std::string>& others() const { return others_; }

private:
    struct Given {
        std::string name, value;
    };
    const Given* find(std::string_view name) const;
    std::vector<Given> given_;
    std::vector<std::string> others_;
};

/// The name of a flag or command of either program that had the name `before` in a version before 0.2.0; "" for others.
std::string_view present_name(std::string_view before);
/// The name that is most like `word`, "" if none is similar.
std::string nearest(std::string_view word, const std::vector<std::string>& names);

/// `text` in lines of at most 80 columns, all but the first indented.
std::string wrapped(std::string_view text, int first_column, int indent);
/// The table of flags for --help.
std::string describe(const std::vector<Option>& options);

} // namespace gradc::runtime

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Flags of the command line: `--name value`, `--name=value`, switches, and the nearest name where
// one is unknown.
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
    std::string value; // what its value is called: "DIR"; "" for a switch
    std::string help;
    bool value_optional; // --resume, --resume --allow-mismatch
    bool listed;         // in --help
};

class Arguments {
public:
    /// Reads what follows the command; flags may stand before or after other words, `--` ends them.
    bool parse(const std::vector<std::string>& words, const std::vector<Option>& options, Error& error);

    bool has(std::string_view name) const { return find(name) != nullptr; }
    /// The last value given, "" if none was.
    std::string value(std::string_view name) const;
    /// Leaves `number` alone where the flag is absent.
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

/// The name most like `word`, "" if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& names);

/// `text` in lines of at most 80 columns, all but the first indented.
std::string wrapped(std::string_view text, int first_column, int indent);
/// The table of flags for --help.
std::string describe(const std::vector<Option>& options);

} // namespace gradc::runtime

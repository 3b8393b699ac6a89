module berth/tests/toml

go 1.19

require github.com/toml-lang/toml-test v1.6.0

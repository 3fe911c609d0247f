module cbframe.test/calls

go 1.18

module image-resolver-generate

go 1.24

.DEFAULT_GOAL := help
SHELL := bash

check: ## everything that CI runs, in the same order
	./.ci/run

test: ## all tests, as in the README
	go test ./...

race: ## the tests with the race detector, in random order
	go test -race -cpu 1 -short -shuffle=on -skip '^TestBrowser' ./...

lint: ## format and lint rules, without running anything
	./.ci/run format lint vet

sandbox: ## a simulated Slack and a simulated vault in the browser, no account needed
	go run ./cmd/ferry sandbox

nightly: ## all tests, the long ones too
	go test -tags=nightly -count=1 -timeout 60m ./...
	go test -race -cpu 1 -shuffle=on -count=1 -timeout 60m -skip '^TestBrowser' ./...
	FERRY_SLACK_MODE=http go test -count=1 -timeout 60m ./cmd/internal/world
	FERRY_FLEET=all go test -count=1 -timeout 60m -run '^TestFleetSurvivesItsDriver$$' ./cmd/internal/chaos

N ?= 60s
explore: ## plays N drawn schedules of crashes and outages (or as many as fit into a time), one process per core
	./.ci/explore $(N)

FUZZTIME ?= 5s
fuzz: ## every fuzz target for FUZZTIME, one per core at a time
	./.ci/fuzz $(FUZZTIME)
.PHONY: fuzz

planted: ## how many drawn schedules it takes until each planted bug is caught
	FERRY_PLANT=drawn go test -count=1 -v -timeout 120m -run '^TestPlanted$$' ./cmd/internal/world
.PHONY: planted

newcomer: ## from git clone to the committed VM in a browser, measured, into docs/newcomer.md
	FERRY_NEWCOMER=1 CI=true go test -count=1 -timeout 20m -run TestNewcomer ./cmd/internal/terminal

chaos: ## real processes killed and frozen at random, measured, into docs/reliability.md
	FERRY_CHAOS=full go test -count=1 -v -parallel 5 -timeout 120m -run '^TestChaos$$' ./cmd/internal/chaos
.PHONY: chaos

bench-fleet: ## fleets of up to 1,000 VMs failed over by Ferry and by what people use today, measured, into docs/benchmarks/fleet.md
	FERRY_BENCH=all go test -count=1 -v -timeout 120m -run '^TestBenchFleet(Again)?$$' ./cmd/internal/world
	FERRY_FLEET=all go test -count=1 -v -timeout 120m -run '^Test(BenchFleetReal|FleetSurvivesItsDriver)$$' ./cmd/internal/chaos
.PHONY: bench-fleet

PICTURES := card-light:desktop-4-approval-light card-dark:desktop-5-running-dark card-phone:phone-5-running-light \
  form-light:desktop-8e-form-light form-dark:desktop-8e-form-dark form-phone:phone-8e-form-light review-dark:desktop-8c-reprotect-dark \
  home-light:desktop-8d-home-light home-dark:desktop-8d-home-dark home-phone:phone-8d-home-light \
  fleet-approval:fleet-1-approval-light fleet-running:fleet-2-running-dark
screenshots: ## the pictures of the README, from the browser's test; look at each
	FERRY_SCREENSHOTS=$(CURDIR)/screenshots/out CI=true go test -count=1 -run 'TestBrowser(Fleet)?$$/^(desktop|phone)?$$' ./cmd/internal/terminal
	for p in $(PICTURES); do cp screenshots/out/$${p#*:}.png docs/screenshots/$${p%:*}.png; done
	rm -r screenshots

generate: ## rewrites generated documents and golden files; look at the diff
	go generate ./...
	UPDATE_GOLDEN=1 go test -count=1 ./...

histories: ## records the stories that have no record yet into events/testdata/history; what is there is never changed
	UPDATE_HISTORIES=1 go test -count=1 -run TestRecord ./cmd/internal/world ./events/jetstream
	UPDATE_HISTORIES=1 go test -count=1 -run 'TestCorpus$$' ./events
	UPDATE_HISTORIES=1 go test -count=1 -run TestCorpusIsNotRewritten ./events

image: ## a container image named ferry, needs a container engine
	docker build --tag ferry .

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: check test race lint sandbox nightly explore newcomer screenshots generate histories image help

#!/usr/bin/env node
import { main } from '../src/cli/program.ts';

void main(process.argv.slice(2));

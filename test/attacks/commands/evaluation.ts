/** Values that Bash evaluates as arithmetic, put together from pieces of which none looks dangerous. */
import { type Attack, scripts } from './attack.ts';

/** `a[$(rm keep.txt)]`, cut where no piece holds both the bracket and the substitution. */
const PUT_TOGETHER = `x='a['; z=$x'$(rm keep.txt)]'`;

export const EVALUATION: readonly Attack[] = scripts({
  'by let': `${PUT_TOGETHER}; let "$z"`,
  'by let of its name': `${PUT_TOGETHER}; let z`,
  'by let of two pieces': `x='a['; y='$(rm keep.txt)]'; let "$x$y"`,
  'by the offset of a piece of text': `${PUT_TOGETHER}; s=abc; echo \${s:z}`,
  'by the offset of a piece of an array': `${PUT_TOGETHER}; s=(a b c); echo \${s[@]:z}`,
  'by the length of a piece of text': `${PUT_TOGETHER}; s=abc; echo \${s:0:$z}`,
  'by an indirection': `${PUT_TOGETHER}; echo \${!z}`,
  'by test -v': `${PUT_TOGETHER}; [[ x ]]; test -v "$z"`,
  'by [ -v ]': `${PUT_TOGETHER}; [[ x ]]; [ -v "$z" ]`,
  'by [[ -v ]]': `${PUT_TOGETHER}; [[ -v $z ]]`,
  'by test with its operator in a variable': `${PUT_TOGETHER}; [[ x ]]; o=-v; test "$o" "$z"`,
  'by an integer': `${PUT_TOGETHER}; declare -i n; n=$z`,
  'by an integer that is declared with it': `${PUT_TOGETHER}; declare -i n=$z`,
  'by an integer that gets its name': `${PUT_TOGETHER}; typeset -i n; n=z`,
  'by an integer of the shell': `${PUT_TOGETHER}; [[ x ]]; RANDOM=$z`,
  'by a subscript of a list': `${PUT_TOGETHER}; b=([$z]=1)`,
  'by a name of its name': `${PUT_TOGETHER}; y=z; echo $((y))`,
  'by a name of a name of its name': `${PUT_TOGETHER}; y=z; w=y; (( w ))`,
  'by a shell inside': `${PUT_TOGETHER} bash -c 'echo $((z))'`,
  'by a shell inside that env gives it': `x='a['; env z=$x'$(rm keep.txt)]' bash -c 'echo $((z))'`,
  'by a shell inside as its parameter': `x='a['; bash -c 'echo $(($1))' sh "$x"'$(rm keep.txt)]'`,
  'by a function as its parameter': `x='a['; [[ x ]]; f() { echo $(( $1 )); }; f "$x"'$(rm keep.txt)]'`,
  'by a positional parameter': `x='a['; [[ x ]]; set -- "$x"'$(rm keep.txt)]'; echo $(($1))`,
  'by all positional parameters': `x='a['; [[ x ]]; set -- "$x"'$(rm keep.txt)]'; echo $(($*))`,
});

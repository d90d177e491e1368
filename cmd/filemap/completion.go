package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The scripts for bash, zsh and fish pass the line, as it was typed, to 'filemap
// complete-line', which knows of quotes: the shells' own words would have lost the
// backslash of Local\X, or be in the middle of a quote.

const bashScript = `# bash completion for filemap: needs nothing but bash.
_filemap() {
    local IFS=$'\n' program="${1/#\~\//$HOME/}" line
    COMPREPLY=()
    while IFS= read -r line; do
        case "$line" in
        :files) compopt -o default ;;
        :commands) COMPREPLY+=($(compgen -c -- "$2")) ;;
        *) COMPREPLY+=("$line") ;;
        esac
    done < <("$program" complete-line bash -- "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
}
complete -F _filemap filemap
`

const zshScript = `#compdef filemap
# zsh completion for filemap.
_filemap() {
    local line
    local -a names
    for line in "${(@f)$("${words[1]}" complete-line zsh -- "${(j: :)words[1,CURRENT]}" 2>/dev/null)}"; do
        case "$line" in
        '') ;;
        :files) _files ;;
        :commands) _command_names -e ;;
        *) names+=("$line") ;;
        esac
    done
    (( $#names )) && compadd -U -- "${names[@]}"
}
if [ "$funcstack[1]" = "_filemap" ]; then
    _filemap
else
    compdef _filemap filemap
fi
`

const fishScript = `# fish completion for filemap.
function __filemap_complete
    set -l words (commandline -opc)
    for line in ($words[1] complete-line fish -- (commandline -cp) 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path (commandline -ct)
            case ':commands'
                __fish_complete_command
            case '*'
                printf '%s\n' $line
        end
    end
end
complete -c filemap -f -a '(__filemap_complete)'
`

func newCompletion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script that completes commands and names in a shell",
		Long: `Print a script that makes a shell complete filemap's commands, flags and the names of
live objects, quoted as they were begun: 'Local\Z, Local\\Z, Local\Z and Z.

To load it in this shell, and in each new one:

  bash        source <(filemap completion bash)
              the same line in ~/.bashrc
  zsh         source <(filemap completion zsh)
              the same line in ~/.zshrc, after compinit
  fish        filemap completion fish | source
              filemap completion fish >~/.config/fish/completions/filemap.fish
  powershell  filemap completion powershell | Out-String | Invoke-Expression
              the same line in $PROFILE`,
		Example:   `  source <(filemap completion bash)`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(c *cobra.Command, args []string) error {
			script := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[args[0]]
			if script == "" {
				return c.Root().GenPowerShellCompletionWithDesc(c.OutOrStdout())
			}
			_, err := io.WriteString(c.OutOrStdout(), script)
			return err
		},
	}
}

// newCompleteLine returns the verb that the scripts call. It prints what the last
// word of a line can be, each on a line, and lines with a colon for what the shell
// knows better.
func newCompleteLine() *cobra.Command {
	return &cobra.Command{
		Use:     "complete-line SHELL LINE [TEXT]",
		Short:   "Print what the last word of a command line can be",
		Example: `  filemap complete-line bash "filemap cat 'Local"`,
		Hidden:  true,
		Args:    cobra.RangeArgs(2, 3),
		RunE: func(c *cobra.Command, args []string) error {
			words := splitLine(args[1])
			last := words[len(words)-1]
			if i, after := commandWord(words); after && runsCommand(words) {
				return printLine(c, map[bool]string{true: ":commands", false: ":files"}[i == len(words)-1])
			}
			found, files, err := complete(words)
			if err != nil {
				return err
			}
			for _, text := range found {
				if args[0] == "bash" {
					text = cutBefore(last, nameOr(args[2:], last.typed), last.quoteAs(text))
				}
				if err := printLine(c, text); err != nil {
					return err
				}
			}
			if files {
				return printLine(c, ":files")
			}
			return nil
		},
	}
}

func printLine(c *cobra.Command, line string) error {
	_, err := fmt.Fprintln(c.OutOrStdout(), line)
	return err
}

// runsCommand reports whether the verb in the words runs what follows --.
func runsCommand(words []word) bool {
	var args []string
	for _, w := range words[1:] {
		args = append(args, w.text)
	}
	c, _, err := newRoot().Find(args)
	return err == nil && strings.Contains(c.Use, "CMD")
}

// commandWord returns where in the words a command after -- is, if it is before the last
// one or that.
func commandWord(words []word) (at int, after bool) {
	for i, w := range words[:len(words)-1] {
		if w.typed == "--" {
			return i + 1, true
		}
	}
	return 0, false
}

// cutBefore cuts off what a shell does not replace: bash replaces only text, the
// end of the last word after an opening quote or a character such as '='.
func cutBefore(last word, text, completed string) string {
	kept, ok := strings.CutSuffix(last.typed, text)
	if !ok {
		return completed
	}
	return strings.TrimPrefix(completed, kept)
}

// complete returns what the last of the words of a command line can be.
func complete(words []word) (found []string, files bool, err error) {
	if len(words) < 2 { // filemap's own name
		return nil, false, nil
	}
	args := []string{cobra.ShellCompNoDescRequestCmd}
	for _, w := range words[1 : len(words)-1] {
		args = append(args, w.text)
	}
	last := words[len(words)-1].meaning()
	root, out := newRoot(), &strings.Builder{}
	root.SetArgs(append(args, last))
	root.SetOut(out)
	root.SetErr(io.Discard)
	if err := root.Execute(); err != nil {
		return nil, false, err
	}
	prefix := ""
	if flag, _, ok := strings.Cut(last, "="); ok && strings.HasPrefix(last, "-") {
		prefix = flag + "=" // cobra completes the value alone
	}
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		if directive, ok := strings.CutPrefix(line, ":"); ok {
			n, _ := strconv.Atoi(directive) // cobra wrote it
			files = n&int(cobra.ShellCompDirectiveNoFileComp) == 0
		} else if line = prefix + line; strings.HasPrefix(line, last) {
			found = append(found, line)
		}
	}
	return found, files, nil
}

// completeFlag makes a flag's values what the shell completes.
func completeFlag(c *cobra.Command, flag string, values ...string) {
	_ = c.RegisterFlagCompletionFunc(flag, // the flag is there, and has none yet
		cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// completeNoFiles keeps the shell from completing the values of flags by files
// where they are not files.
func completeNoFiles(c *cobra.Command) {
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if _, ok := c.GetFlagCompletionFunc(f.Name); !ok && f.Name != "file" {
			completeFlag(c, f.Name)
		}
	})
	for _, below := range c.Commands() {
		completeNoFiles(below)
	}
}

# Completion of kho-console in fish, as `kho-console completion fish` prints it.

# Whether the words so far lead to the verb $argv[1], and to argument $argv[2] of it if that is set.
function __kho_console_at
    set -l path
    set -l at 0
    set -l value
    for word in (commandline -opc)[2..-1]
        if set -q value[1]
            set -e value[1]
            continue
        end
        switch "$path:$word"
            case '*:--source' '*:--at' '*:--fault' '*:--interval' '/preserved:--filter' '/watch:--for' '/check:--command-line' '/check:--append' '/record:--for' '/record:--every' '/record:--max-size' '/record:--max-age' '/finalize:--yes-i-mean' '/abort:--yes-i-mean' '/activate:--yes-i-mean' '/deactivate:--yes-i-mean' '/load:--yes-i-mean' '/load:--command-line' '/load:--append' '/unload:--yes-i-mean' '/execute:--yes-i-mean' '/online:--yes-i-mean' '/offline:--yes-i-mean' '/runbook/run:--yes-i-mean' '/runbook/resume:--yes-i-mean' '/runbook/undo:--yes-i-mean' '/decode/pkram:--pfn' '*:--twin' '*:--log' '/crash/simulate:--show' '/check:--kernel' '/check:--initrd' '/record:--inventory' '/load:--kernel' '/load:--initrd' '/runbook/run:--answers' '/runbook/resume:--answers' '/decode/kstate:--descriptions' '/encode/kstate:--output' '/encode/kstate:--descriptions' '/encode/pkram:--output' '/encode/fdt:--output' '/encode/kho2024:--output' '/encode/elfcorehdr:--output' '*:--theme' '*:--keymap' '/preserved:--side' '/runbook/resume:--interrupted'
                set value $word
            case '*:-*'
            case ':demo' ':replay' ':status' ':scratch' ':blobs' ':preserved' ':sessions' ':crash' '/crash:simulate' ':watch' ':tree' ':doctor' ':check' ':journal' ':record' ':capture' ':bundle' ':diff' ':verify' ':finalize' ':abort' ':activate' ':deactivate' ':load' ':unload' ':execute' ':online' ':offline' ':runbook' '/runbook:list' '/runbook:show' '/runbook:run' '/runbook:resume' '/runbook:undo' ':decode' '/decode:kstate' '/decode:pkram' '/decode:fdt' '/decode:kho2024' '/decode:elfcorehdr' '/decode:image' ':encode' '/encode:kstate' '/encode:pkram' '/encode:fdt' '/encode:kho2024' '/encode:elfcorehdr' ':compare-mechanisms' ':config' '/config:show' '/config:path' '/config:check' '/config:keys' ':completion' ':man'
                set path "$path/$word"
                set at 0
            case '*'
                set at (math $at + 1)
        end
    end
    test "$path" = "$argv[1]"; and begin
        not set -q argv[2]; or test $at -eq $argv[2]
    end
end

complete -c kho-console -f
complete -c kho-console -s h -d 'show this help message and exit'
complete -c kho-console -l help -d 'show this help message and exit'
complete -c kho-console -l version -d 'show program\'s version number and exit'
complete -c kho-console -l source -x -a '(kho-console completion sources; __fish_complete_directories)' -d 'this machine, a fixture folder, the file of a recording, or a shipped recording such as linux-7.3.4/ready'
complete -c kho-console -l at -x -d 'the moment of a recording: 2026-11-21T10:00:00 (UTC), HH:MM:SS, +SECONDS from its start, --at=-5m before its end, event:N, action:N, finding:N, moment:N, start or end (default: end)'
complete -c kho-console -l rehearse -d 'on a twin of it: a kernel in this program, which may be changed; nothing is kept'
complete -c kho-console -l twin -r -F -d 'on the twin that is kept in FILE, made from the source where there is none yet'
complete -c kho-console -l fault -x -d 'let something go wrong on the twin: write:N:ERRNO, load:N:ERRNO, memory:PAGES, producer:ERRNO, panic'
complete -c kho-console -l write -d 'let the machine be changed; without it, it is only looked at'
complete -c kho-console -l theme -x -a 'dark light high-contrast' -d 'the colours of the screen'
complete -c kho-console -l mono -d 'no colour at all'
complete -c kho-console -l no-mono -d 'no colour at all'
complete -c kho-console -l ascii -d 'draw with ASCII characters only'
complete -c kho-console -l no-ascii -d 'draw with ASCII characters only'
complete -c kho-console -l mouse -d 'let the terminal report the mouse'
complete -c kho-console -l no-mouse -d 'let the terminal report the mouse'
complete -c kho-console -l plain -d 'talk line by line in place of a screen, for serial lines and braille'
complete -c kho-console -l no-plain -d 'talk line by line in place of a screen, for serial lines and braille'
complete -c kho-console -l interval -x -d 'time between two looks at a live machine'
complete -c kho-console -l keymap -x -a 'default vi' -d 'which keys there are: vi adds those of vi to the usual ones'
complete -c kho-console -l log -r -F -d 'keep a log in this file'
complete -c kho-console -l debug -d 'log details too; without a file named, in the state folder of the user'
complete -c kho-console -l no-debug -d 'log details too; without a file named, in the state folder of the user'
complete -c kho-console -l no-config -d 'leave the files of settings alone'
complete -c kho-console -n '__kho_console_at "" 0' -a demo -d 'the terminal UI on a recording of a real kernel'
complete -c kho-console -n '__kho_console_at "" 0' -a replay -d 'the terminal UI on a recording of yours, at its last moment or at --at'
complete -c kho-console -n '__kho_console_at "" 0' -a status -d 'would the next reboot hand over, and what; with findings'
complete -c kho-console -n '__kho_console_at "" 0' -a scratch -d 'the scratch areas that the next kernel boots in'
complete -c kho-console -n '__kho_console_at "" 0' -a blobs -d 'what producers hand over, on both sides'
complete -c kho-console -n '__kho_console_at "" 0' -a preserved -d 'preserved memory and whose it is'
complete -c kho-console -n '__kho_console_at "" 0' -a sessions -d 'live-update sessions and who holds them'
complete -c kho-console -n '__kho_console_at "" 0' -a crash -d 'what a dump taken now would contain'
complete -c kho-console -n '__kho_console_at "" 0' -a watch -d 'CPU and memory events as they happen, and what they do to the crash image'
complete -c kho-console -n '__kho_console_at "" 0' -a tree -d 'a root tree, or a blob that is a tree, as device tree source'
complete -c kho-console -n '__kho_console_at "" 0' -a doctor -d 'what can and cannot be seen here, and what would fix it'
complete -c kho-console -n '__kho_console_at "" 0' -a check -d 'may this machine hand over to an image, and what would be lost'
complete -c kho-console -n '__kho_console_at "" 0' -a journal -d 'what was done to the machine, by whom, and how it ended'
complete -c kho-console -n '__kho_console_at "" 0' -a record -d 'keep what the machine shows in a file, moment after moment'
complete -c kho-console -n '__kho_console_at "" 0' -a capture -d 'write one moment of it as a fixture folder'
complete -c kho-console -n '__kho_console_at "" 0' -a bundle -d 'pack evidence into one file, or verify such a file'
complete -c kho-console -n '__kho_console_at "" 0' -a diff -d 'what is different between two moments, fixtures, recordings or live'
complete -c kho-console -n '__kho_console_at "" 0' -a verify -d 'what of a note made before the kexec has arrived in this kernel'
complete -c kho-console -n '__kho_console_at "" 0' -a finalize -d 'write down what is preserved, for the next kernel (6.16 to 7.0)'
complete -c kho-console -n '__kho_console_at "" 0' -a abort -d 'take that back (6.16 to 6.18)'
complete -c kho-console -n '__kho_console_at "" 0' -a activate -d 'collect the state of all producers (the 2024 series)'
complete -c kho-console -n '__kho_console_at "" 0' -a deactivate -d 'drop what was collected (the 2024 series)'
complete -c kho-console -n '__kho_console_at "" 0' -a load -d 'load an image with kexec_file_load, which alone carries the handover'
complete -c kho-console -n '__kho_console_at "" 0' -a unload -d 'drop the loaded image'
complete -c kho-console -n '__kho_console_at "" 0' -a execute -d 'leave this kernel for the loaded image, by systemctl kexec'
complete -c kho-console -n '__kho_console_at "" 0' -a online -d 'take a memory block or a CPU online'
complete -c kho-console -n '__kho_console_at "" 0' -a offline -d 'take a memory block or a CPU offline'
complete -c kho-console -n '__kho_console_at "" 0' -a runbook -d 'guided procedures, which survive the kexec that they lead through'
complete -c kho-console -n '__kho_console_at "" 0' -a decode -d 'what a file of one format holds'
complete -c kho-console -n '__kho_console_at "" 0' -a encode -d 'a file of one format, out of a JSON document as decode prints it'
complete -c kho-console -n '__kho_console_at "" 0' -a compare-mechanisms -d 'one workload carried through every mechanism, merged or not'
complete -c kho-console -n '__kho_console_at "" 0' -a config -d 'the settings: what they are, where each one comes from'
complete -c kho-console -n '__kho_console_at "" 0' -a completion -d 'a script that completes this command line in a shell'
complete -c kho-console -n '__kho_console_at "" 0' -a man -d 'the manual'
complete -c kho-console -n '__kho_console_at "/replay" 0' -r -F
complete -c kho-console -n '__kho_console_at "/status"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/scratch"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/blobs"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/preserved"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/preserved"' -l side -x -a 'out in' -d 'which side (default: out)'
complete -c kho-console -n '__kho_console_at "/preserved"' -l extents -d 'cut ranges where the owner changes'
complete -c kho-console -n '__kho_console_at "/preserved"' -l filter -x -d 'only the extents that fit all of these words: owner:memfd size:>64k order:0-3 address:0x1000-0x2000 node:0 WORD; !WORD for those that do not'
complete -c kho-console -n '__kho_console_at "/preserved"' -l residue -d 'with --side in: what is left of the map that the kernel released, unreliable'
complete -c kho-console -n '__kho_console_at "/sessions"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/crash"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/crash" 0' -a simulate -d 'a scenario of crash hotplug under the design of 2021 and today\'s'
complete -c kho-console -n '__kho_console_at "/crash/simulate"' -l show -r -F -d 'print the file of a scenario, to write one after it'
complete -c kho-console -n '__kho_console_at "/crash/simulate"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/crash/simulate" 0' -r -F
complete -c kho-console -n '__kho_console_at "/watch"' -l json -d 'print an object a line'
complete -c kho-console -n '__kho_console_at "/watch"' -l for -x -d 'end after so long; without it, Ctrl-C ends it'
complete -c kho-console -n '__kho_console_at "/tree"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/tree"' -l raw -d 'print the bytes, of any blob'
complete -c kho-console -n '__kho_console_at "/tree" 0' -x -a 'out in'
complete -c kho-console -n '__kho_console_at "/doctor"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/check"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/check"' -l crash -d 'the image that a panic starts'
complete -c kho-console -n '__kho_console_at "/check"' -l kernel -r -F -d 'the kernel image'
complete -c kho-console -n '__kho_console_at "/check"' -l initrd -r -F -d 'its initial RAM disk'
complete -c kho-console -n '__kho_console_at "/check"' -l command-line -x -d 'its command line'
complete -c kho-console -n '__kho_console_at "/check"' -l reuse-command-line -d 'the command line of the running kernel, without what was for this boot only; so it is where none is given'
complete -c kho-console -n '__kho_console_at "/check"' -l append -x -d 'more that goes behind the running command line'
complete -c kho-console -n '__kho_console_at "/journal"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/record"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/record"' -l for -x -d 'end after 90, 5m, 2h or 1d'
complete -c kho-console -n '__kho_console_at "/record"' -l every -x -d 'from one moment to the next (default: 1)'
complete -c kho-console -n '__kho_console_at "/record"' -l max-size -x -d 'keep at most 500k, 100M or 2G: at the half FILE becomes FILE.1, and begins anew'
complete -c kho-console -n '__kho_console_at "/record"' -l handover -d 'make FILE a note of what must survive the kexec, for verify behind it'
complete -c kho-console -n '__kho_console_at "/record"' -l inventory -r -F -d 'with --handover: what owners declare, as TOML with [[keep]] entries'
complete -c kho-console -n '__kho_console_at "/record"' -l max-age -x -d 'let go of what is older, in the same way'
complete -c kho-console -n '__kho_console_at "/record"' -l unit -d 'print a systemd unit that records all the time, for /etc/systemd/system/kho-console-record.service; it records nothing by itself'
complete -c kho-console -n '__kho_console_at "/record" 0' -r -F
complete -c kho-console -n '__kho_console_at "/capture"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/capture"' -l scramble -d 'for others to see: no names, no command lines, and no memory but what is decoded'
complete -c kho-console -n '__kho_console_at "/capture" 0' -r -F
complete -c kho-console -n '__kho_console_at "/bundle"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/bundle"' -l redact -d 'for others to see: a scrambled capture of one moment, and no journal'
complete -c kho-console -n '__kho_console_at "/bundle" 0' -r -F
complete -c kho-console -n '__kho_console_at "/bundle" 1' -r -F
complete -c kho-console -n '__kho_console_at "/diff"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/diff"' -l ranges -d 'list the preserved ranges that only one of them has, too'
complete -c kho-console -n '__kho_console_at "/diff" 0' -r -F
complete -c kho-console -n '__kho_console_at "/diff" 1' -r -F
complete -c kho-console -n '__kho_console_at "/verify"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/verify"' -l any-host -d 'this is the host of the note, under another name'
complete -c kho-console -n '__kho_console_at "/verify" 0' -r -F
complete -c kho-console -n '__kho_console_at "/finalize"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/finalize"' -l dry-run -d 'print what would be done, and do nothing'
complete -c kho-console -n '__kho_console_at "/finalize"' -l yes-i-mean -x -d 'the name of this host, for what nothing undoes, where nobody can be asked'
complete -c kho-console -n '__kho_console_at "/abort"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/abort"' -l dry-run -d 'print what would be done, and do nothing'
complete -c kho-console -n '__kho_console_at "/abort"' -l yes-i-mean -x -d 'the name of this host, for what nothing undoes, where nobody can be asked'
complete -c kho-console -n '__kho_console_at "/activate"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/activate"' -l dry-run -d 'print what would be done, and do nothing'
complete -c kho-console -n '__kho_console_at "/activate"' -l yes-i-mean -x -d 'the name of this host, for what nothing undoes, where nobody can be asked'
complete -c kho-console -n '__kho_console_at "/deactivate"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/deactivate"' -l dry-run -d 'print what would be done, and do nothing'
complete -c kho-console -n '__kho_console_at "/deactivate"' -l yes-i-mean -x -d 'the name of this host, for what nothing undoes, where nobody can be asked'
complete -c kho-console -n '__kho_console_at "/load"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/load"' -l dry-run -d 'print what would be done, and do nothing'
complete -c kho-console -n '__kho_console_at "/load"' -l yes-i-mean -x -d 'the name of this host, for what nothing undoes, where nobody can be asked'
complete -c kho-console -n '__kho_console_at "/load"' -l crash -d 'the image that a panic starts'
complete -c kho-console -n '__kho_console_at "/load"' -l kernel -r -F -d 'the kernel image'
complete -c kho-console -n '__kho_console_at "/load"' -l initrd -r -F -d 'its initial RAM disk'
complete -c kho-console -n '__kho_console_at "/load"' -l command-line -x -d 'its command line'
complete -c kho-console -n '__kho_console_at "/load"' -l reuse-command-line -d 'the command line of the running kernel, without what was for this boot only; so it is where none is given'
complete -c kho-console -n '__kho_console_at "/load"' -l append -x -d 'more that goes behind the running command line'
complete -c kho-console -n '__kho_console_at "/unload"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/unload"' -l dry-run -d 'print what would be done, and do nothing'
complete -c kho-console -n '__kho_console_at "/unload"' -l yes-i-mean -x -d 'the name of this host, for what nothing undoes, where nobody can be asked'
complete -c kho-console -n '__kho_console_at "/unload"' -l crash -d 'the image that a panic starts'
complete -c kho-console -n '__kho_console_at "/execute"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/execute"' -l dry-run -d 'print what would be done, and do nothing'
complete -c kho-console -n '__kho_console_at "/execute"' -l yes-i-mean -x -d 'the name of this host, for what nothing undoes, where nobody can be asked'
complete -c kho-console -n '__kho_console_at "/execute"' -l system-call -d 'by the bare system call: no service is stopped, nothing is written back'
complete -c kho-console -n '__kho_console_at "/online"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/online"' -l dry-run -d 'print what would be done, and do nothing'
complete -c kho-console -n '__kho_console_at "/online"' -l yes-i-mean -x -d 'the name of this host, for what nothing undoes, where nobody can be asked'
complete -c kho-console -n '__kho_console_at "/offline"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/offline"' -l dry-run -d 'print what would be done, and do nothing'
complete -c kho-console -n '__kho_console_at "/offline"' -l yes-i-mean -x -d 'the name of this host, for what nothing undoes, where nobody can be asked'
complete -c kho-console -n '__kho_console_at "/runbook" 0' -a list -d 'the runbooks that there are, and the runs of them'
complete -c kho-console -n '__kho_console_at "/runbook" 0' -a show -d 'the steps of a runbook'
complete -c kho-console -n '__kho_console_at "/runbook" 0' -a run -d 'begin a run, and go as far as it gets'
complete -c kho-console -n '__kho_console_at "/runbook" 0' -a resume -d 'go on with a run, in the next kernel too'
complete -c kho-console -n '__kho_console_at "/runbook" 0' -a undo -d 'take back the latest step of a run that changed the machine'
complete -c kho-console -n '__kho_console_at "/runbook/list"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/runbook/show"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/runbook/show" 0' -r -F
complete -c kho-console -n '__kho_console_at "/runbook/run"' -l json -d 'print JSON, one object a line'
complete -c kho-console -n '__kho_console_at "/runbook/run"' -l yes-i-mean -x -d 'the name of this host, for what nothing undoes, where nobody can be asked'
complete -c kho-console -n '__kho_console_at "/runbook/run"' -l answers -r -F -d 'a TOML file: ID = "answer" for each question, skip = ["ID"] for steps to leave out'
complete -c kho-console -n '__kho_console_at "/runbook/run" 0' -r -F
complete -c kho-console -n '__kho_console_at "/runbook/resume"' -l json -d 'print JSON, one object a line'
complete -c kho-console -n '__kho_console_at "/runbook/resume"' -l any-host -d 'take the run for one of this host, which was renamed'
complete -c kho-console -n '__kho_console_at "/runbook/resume"' -l yes-i-mean -x -d 'the name of this host, for what nothing undoes, where nobody can be asked'
complete -c kho-console -n '__kho_console_at "/runbook/resume"' -l answers -r -F -d 'a TOML file: ID = "answer" for each question, skip = ["ID"] for steps to leave out'
complete -c kho-console -n '__kho_console_at "/runbook/resume"' -l interrupted -x -a 'done not-done' -d 'what became of the interrupted step, where the machine does not tell'
complete -c kho-console -n '__kho_console_at "/runbook/resume"' -l abandon -d 'end the run where it stands'
complete -c kho-console -n '__kho_console_at "/runbook/undo"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/runbook/undo"' -l any-host -d 'take the run for one of this host, which was renamed'
complete -c kho-console -n '__kho_console_at "/runbook/undo"' -l yes-i-mean -x -d 'the name of this host, for what nothing undoes, where nobody can be asked'
complete -c kho-console -n '__kho_console_at "/runbook/undo"' -l dry-run -d 'print what would be done, and do nothing'
complete -c kho-console -n '__kho_console_at "/decode" 0' -a kstate -d 'a stream of kstate: state saved record by record'
complete -c kho-console -n '__kho_console_at "/decode" 0' -a pkram -d 'nodes of PKRAM in an image of physical memory from address 0 on'
complete -c kho-console -n '__kho_console_at "/decode" 0' -a fdt -d 'a flattened device tree'
complete -c kho-console -n '__kho_console_at "/decode" 0' -a kho2024 -d 'the root tree of the series of 2024, with its state and its trace buffers'
complete -c kho-console -n '__kho_console_at "/decode" 0' -a elfcorehdr -d 'the ELF core header of a crash image: what a dump would contain'
complete -c kho-console -n '__kho_console_at "/decode" 0' -a image -d 'a kernel image: its release, and what of the handover it speaks'
complete -c kho-console -n '__kho_console_at "/decode/kstate"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/decode/kstate"' -l descriptions -r -F -d 'descriptions in place of those that come with the console'
complete -c kho-console -n '__kho_console_at "/decode/kstate"' -l strict -d 'leave out fields where a kernel would only warn'
complete -c kho-console -n '__kho_console_at "/decode/kstate" 0' -r -F
complete -c kho-console -n '__kho_console_at "/decode/pkram"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/decode/pkram"' -l pfn -x -d 'page frame number of the super block, as pkram= has it; a fixture tells it'
complete -c kho-console -n '__kho_console_at "/decode/pkram"' -l pages -d 'every page and every byte too, which encode needs'
complete -c kho-console -n '__kho_console_at "/decode/pkram" 0' -r -F
complete -c kho-console -n '__kho_console_at "/decode/fdt"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/decode/fdt" 0' -r -F
complete -c kho-console -n '__kho_console_at "/decode/kho2024"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/decode/kho2024" 0' -r -F
complete -c kho-console -n '__kho_console_at "/decode/elfcorehdr"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/decode/elfcorehdr" 0' -r -F
complete -c kho-console -n '__kho_console_at "/decode/image"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/decode/image" 0' -r -F
complete -c kho-console -n '__kho_console_at "/encode" 0' -a kstate -d 'a stream of kstate: state saved record by record'
complete -c kho-console -n '__kho_console_at "/encode" 0' -a pkram -d 'nodes of PKRAM in an image of physical memory from address 0 on'
complete -c kho-console -n '__kho_console_at "/encode" 0' -a fdt -d 'a flattened device tree'
complete -c kho-console -n '__kho_console_at "/encode" 0' -a kho2024 -d 'the root tree of the series of 2024, with its state and its trace buffers'
complete -c kho-console -n '__kho_console_at "/encode" 0' -a elfcorehdr -d 'the ELF core header of a crash image: what a dump would contain'
complete -c kho-console -n '__kho_console_at "/encode/kstate"' -l output -r -F -d 'the file to write; standard output without it'
complete -c kho-console -n '__kho_console_at "/encode/kstate"' -l descriptions -r -F -d 'descriptions in place of those that come with the console'
complete -c kho-console -n '__kho_console_at "/encode/kstate" 0' -r -F
complete -c kho-console -n '__kho_console_at "/encode/pkram"' -l output -r -F -d 'the file to write: memory from address 0 on, with holes where nothing lies'
complete -c kho-console -n '__kho_console_at "/encode/pkram" 0' -r -F
complete -c kho-console -n '__kho_console_at "/encode/fdt"' -l output -r -F -d 'the file to write; standard output without it'
complete -c kho-console -n '__kho_console_at "/encode/fdt" 0' -r -F
complete -c kho-console -n '__kho_console_at "/encode/kho2024"' -l output -r -F -d 'the file to write; standard output without it'
complete -c kho-console -n '__kho_console_at "/encode/kho2024" 0' -r -F
complete -c kho-console -n '__kho_console_at "/encode/elfcorehdr"' -l output -r -F -d 'the file to write; standard output without it'
complete -c kho-console -n '__kho_console_at "/encode/elfcorehdr" 0' -r -F
complete -c kho-console -n '__kho_console_at "/compare-mechanisms"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/compare-mechanisms" 0' -r -F
complete -c kho-console -n '__kho_console_at "/config" 0' -a show -d 'every setting and its value'
complete -c kho-console -n '__kho_console_at "/config" 0' -a path -d 'the files of settings, the last one going first'
complete -c kho-console -n '__kho_console_at "/config" 0' -a check -d 'whether the settings hold, those of [keys] too'
complete -c kho-console -n '__kho_console_at "/config" 0' -a keys -d 'every command with its id, its keys and its screens'
complete -c kho-console -n '__kho_console_at "/config/show"' -l origin -d 'where each one comes from, too'
complete -c kho-console -n '__kho_console_at "/config/show"' -l json -d 'print a JSON document'
complete -c kho-console -n '__kho_console_at "/config/check" 0' -r -F
complete -c kho-console -n '__kho_console_at "/completion" 0' -x -a 'bash zsh fish sources'
complete -c kho-console -n '__kho_console_at "/man" 0' -x -a 'config'

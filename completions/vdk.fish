# fish completion for vdk; made from the command table, do not edit
function __vdk_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (vdk __complete -- $words[2..-1] 2>/dev/null </dev/null)
        switch $line
            case :file
                __fish_complete_path (commandline -ct)
            case :directory
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c vdk -f -a '(__vdk_complete)'
